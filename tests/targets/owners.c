// Makes system calls in and beside library calls: owners MODE. The calls of interest are marked LEAK.
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include "say.h"

static void stream(void)
{
    FILE *file = fopen("/etc/passwd", "r");
    if (!file || fgetc(file) == EOF || fclose(file))
        fail("stream");
}

static void *nothing(void *argument)
{
    return argument;
}

static void threads(void)
{
    enum { COUNT = 4 };
    pthread_t id[COUNT];
    for (int i = 0; i < COUNT; i++)
        if (pthread_create(&id[i], NULL, nothing, NULL)) // LEAK threads
            fail("pthread_create");
    for (int i = 0; i < COUNT; i++)
        pthread_join(id[i], NULL);
    say("threads", COUNT);
}

// Small blocks until the heap has grown several times, and blocks that get mappings of their own.
static void blocks(void)
{
    enum { SMALL = 1000, LARGE = 5 };
    static void *volatile kept[SMALL];
    mallopt(M_MMAP_THRESHOLD, 1 << 17); // and no other from here on
    for (int i = 0; i < SMALL; i++)
        kept[i] = malloc(1000);
    for (int i = 0; i < LARGE; i++)
        free(malloc(1 << 20));
    for (int i = 0; i < SMALL; i++)
        free(kept[i]);
    say("large", LARGE);
}

static __attribute__((noinline)) int opens_raw(void)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY); // LEAK raw
    return fd;
}

static void raw(void)
{
    enum { COUNT = 7 };
    for (int i = 0; i < COUNT; i++) {
        int fd = opens_raw(); // VIA raw
        if (fd < 0 || close(fd))
            fail("openat");
    }
    say("raw", COUNT);
}

// System calls of their own in each thread at one time, so that none is put to another's call.
static void *opens(void *argument)
{
    for (int i = 0; i < 50; i++) {
        FILE *file = fopen("/dev/null", "r");
        int fd = opens_raw();
        if (!file || fd < 0 || close(fd) || fclose(file))
            fail("a thread's files");
    }
    return argument;
}

static void together(void)
{
    enum { COUNT = 8 };
    pthread_t id[COUNT];
    for (int i = 0; i < COUNT; i++)
        if (pthread_create(&id[i], NULL, opens, NULL))
            fail("pthread_create");
    for (int i = 0; i < COUNT; i++)
        pthread_join(id[i], NULL);
    say("each", COUNT * 50);
}

static long as_32_bit(long number, long argument)
{
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(argument) : "memory", "r8", "r9", "r10", "r11");
    return result;
}

// The interface of 32-bit programs, where dup is 41 and close 6: to the 64-bit one socket and lstat.
static void old_interface(void)
{
    enum { COUNT = 3 };
    for (int i = 0; i < COUNT; i++) {
        long copy = as_32_bit(41, STDOUT_FILENO);
        if (copy < 0 || (i > 0 && as_32_bit(6, copy)))
            fail("int 0x80");
    }
    say("copies", COUNT);
    say("left", 1);
}

static void reads_the_clock(void)
{
    struct timespec now;
    for (int i = 0; i < 1000; i++)
        clock_gettime(CLOCK_MONOTONIC, &now);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {{"stream", stream}, {"threads", threads}, {"blocks", blocks},
                 {"raw", raw}, {"together", together}, {"clock", reads_the_clock}, {"old_interface", old_interface}};
    for (size_t i = 0; argc == 2 && i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(argv[1], modes[i].name)) {
            modes[i].run();
            return 0;
        }
    fail("usage");
}
