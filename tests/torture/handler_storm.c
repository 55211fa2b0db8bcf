// Three timers whose handlers interrupt tapped calls, and each other, with tapped calls of their own.
//
// torture: repeat 5
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"

static volatile long handled, unsound;
static volatile int heap_is_free, calm;

static void busy(void)
{
    int ends[2], fd = open("/dev/null", O_RDWR);
    char byte = 'x';
    unsound += fd < 0 || pipe(ends) != 0 || write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1;
    unsound += close(fd) != 0 || close(ends[0]) != 0 || close(ends[1]) != 0;
    void *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsound += pages == MAP_FAILED || munmap(pages, 8192) != 0;
}

static const struct timer {
    int which, signal_number, microseconds;
} timers[] = {{ITIMER_REAL, SIGALRM, 700}, {ITIMER_VIRTUAL, SIGVTALRM, 4000}, {ITIMER_PROF, SIGPROF, 4000}};

// Once: a timer that went on by itself could leave no time between one handler and the next, however slow they are.
static int arm(const struct timer *timer)
{
    struct itimerval once = {{0, 0}, {0, timer->microseconds}};
    return setitimer(timer->which, &once, NULL) == 0;
}

static void stormy(int number)
{
    int before = errno;
    busy();
    // One handler at a time may be in the heap, and never while the program is.
    if (heap_is_free && __sync_bool_compare_and_swap(&heap_is_free, 1, 0)) {
        void *block = realloc(sunk(malloc(100)), 5000);
        memset(block, 1, 5000);
        free(block);
        heap_is_free = 1;
    }
    unsound += close(-1) != -1 || errno != EBADF;
    handled++;
    for (int i = 0; i < 3 && !calm; i++)
        unsound += timers[i].signal_number == number && !arm(&timers[i]);
    errno = before;
}

int main(void)
{
    struct sigaction action = {.sa_handler = stormy, .sa_flags = SA_RESTART};
    for (int i = 0; i < 3; i++)
        EXPECT(sigaction(timers[i].signal_number, &action, NULL) == 0 && arm(&timers[i]));
    long rounds = 0;
    while (handled < 60) {
        busy();
        errno = 4711;
        unsound += strlen("no call of the kernel") != 21 || errno != 4711;
        rounds++;
    }
    heap_is_free = 1;
    while (handled < 120) {
        busy();
        rounds++;
    }
    heap_is_free = 0;
    calm = 1;
    struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL), setitimer(ITIMER_VIRTUAL, &never, NULL), setitimer(ITIMER_PROF, &never, NULL);
    EXPECT(unsound == 0 && rounds > 0);
    printf("next descriptor %d\n", open("/dev/null", O_RDONLY));
    return 0;
}
