// Leaves a tapped `read` without returning from it, COUNT times: leave cancel|jump COUNT.
//
// Each time one block is allocated before and one freed after, so nothing may be lost or kept.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include "say.h"

static int pipe_ends[2];
static int cleanups;
static sigjmp_buf back;

static void clean_up(void *block)
{
    cleanups++;
    free(block);
}

static void *reader(void *unused)
{
    char byte;
    void *block = malloc(100);
    pthread_cleanup_push(clean_up, block);
    while (read(pipe_ends[0], &byte, 1) != 0)
        ;
    pthread_cleanup_pop(1);
    return unused;
}

static void cancel(void)
{
    pthread_t id;
    void *result;
    if (pthread_create(&id, NULL, reader, NULL) || pthread_cancel(id) || pthread_join(id, &result))
        fail("a thread's life");
    if (result != PTHREAD_CANCELED)
        fail("not cancelled");
}

static void on_alarm(int signal)
{
    (void)signal;
    siglongjmp(back, 1);
}

static void jump(void)
{
    char byte;
    void *volatile block = malloc(100);
    if (sigsetjmp(back, 1) == 0) {
        struct itimerval soon = {.it_value = {.tv_usec = 300}};
        setitimer(ITIMER_REAL, &soon, NULL);
        for (;;)
            if (read(pipe_ends[0], &byte, 1) >= 0)
                fail("read returned");
    }
    cleanups++;
    free(block);
}

int main(int argc, char **argv)
{
    int count = argc == 3 ? atoi(argv[2]) : 0;
    int cancelling = argc == 3 && !strcmp(argv[1], "cancel");
    signal(SIGALRM, on_alarm);
    if (pipe(pipe_ends))
        fail("pipe");
    for (int i = 0; i < count; i++)
        cancelling ? cancel() : jump();
    say("cleanups", cleanups);
    say("blocks", count);
    free(malloc(10));
    return 0;
}
