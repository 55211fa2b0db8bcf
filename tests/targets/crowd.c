// Makes system calls that depend on nothing but its arguments: crowd threads|children|short COUNT.
//
// `threads`: COUNT threads at one time. `children`: COUNT forked children, some at one time. `short`: COUNT
// threads that end at once, some at one time.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "say.h"

enum { AT_ONCE = 8, MOST_THREADS = 64 };

static pthread_barrier_t start;

// Tapped and raw ones, some that fail; nothing that allocates.
static void calls(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        int pair[2], fd = open("/dev/null", O_RDONLY);
        int copy = dup(fd), event = eventfd(0, 0);
        long untapped = syscall(SYS_openat, AT_FDCWD, "/dev/zero", O_RDONLY);
        if (fd < 0 || copy < 0 || event < 0 || untapped < 0 || pipe(pair))
            fail("descriptors");
        if (open("/no/such/file", O_RDONLY) >= 0 || close(-1) == 0 || syscall(SYS_dup, -1) >= 0)
            fail("a call that should not succeed");
        void *pages = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED || mprotect(pages, 4096, PROT_READ) || munmap(pages, 1 << 16))
            fail("mappings");
        if (munmap(pages, 0) == 0) // EINVAL
            fail("a munmap of nothing");
        close(fd), close(copy), close(event), close(pair[0]), close(pair[1]);
        syscall(SYS_close, untapped);
    }
}

static void *many_calls(void *argument)
{
    pthread_barrier_wait(&start);
    calls(20);
    pthread_barrier_wait(&start);
    return argument;
}

static void *one_call(void *argument)
{
    close(open("/dev/null", O_RDONLY));
    return argument;
}

static void threads(int count, void *(*function)(void *))
{
    pthread_t id[MOST_THREADS];
    for (int i = 0; i < count; i++)
        if (pthread_create(&id[i], NULL, function, NULL))
            fail("pthread_create");
    for (int i = 0; i < count; i++)
        pthread_join(id[i], NULL);
}

static void children(int count)
{
    for (int begun = 0, ended = 0; ended < count;) {
        if (begun < count && begun - ended < AT_ONCE) {
            pid_t child = fork();
            if (child == 0) {
                calls(2);
                _exit(0);
            }
            if (child < 0)
                fail("fork");
            begun++;
            continue;
        }
        int status;
        if (wait(&status) < 0 || status != 0)
            fail("a child");
        ended++;
    }
}

int main(int argc, char **argv)
{
    int count = argc == 3 ? atoi(argv[2]) : 0;
    if (count < 1)
        fail("usage");
    if (!strcmp(argv[1], "threads") && count <= MOST_THREADS) {
        pthread_barrier_init(&start, NULL, (unsigned)count);
        threads(count, many_calls);
    } else if (!strcmp(argv[1], "children")) {
        children(count);
    } else if (!strcmp(argv[1], "short")) {
        for (int done = 0; done < count; done += AT_ONCE)
            threads(AT_ONCE, one_call);
    } else {
        fail("usage");
    }
    say("finished", count);
    return 0;
}
