// Threads that allocate, end, are made anew, fork and execute, until the time is over: churn THREADS MS.
// As a child: churn. What it prints does not depend on anything.
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include "say.h"

enum { BLOCKS = 64 };

static const char *self;
static long until_ms;

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void allocates(unsigned seed)
{
    void *blocks[BLOCKS] = {0};
    for (int step = 0; step < 4 * BLOCKS; step++) {
        int at = rand_r(&seed) % BLOCKS;
        free(blocks[at]);
        blocks[at] = malloc(16 + (size_t)rand_r(&seed) % 4000);
        if (!blocks[at])
            fail("malloc");
    }
    for (int at = 0; at < BLOCKS; at++)
        free(blocks[at]);
}

static void *briefly(void *seed)
{
    allocates((unsigned)(size_t)seed);
    return NULL;
}

static void has_child(int executes)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        allocates(1);
        if (executes)
            execl(self, "churn", (char *)NULL);
        _exit(5);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 5)
        fail("a child");
}

static void *churns(void *argument)
{
    unsigned number = (unsigned)(size_t)argument;
    for (unsigned round = 0; now_ms() < until_ms; round++) {
        pthread_t thread;
        allocates(number * 1000 + round);
        if (number % 4 == 1) {
            if (pthread_create(&thread, NULL, briefly, argument) || pthread_join(thread, NULL))
                fail("a thread");
        }
        if (number % 8 == 2)
            has_child(round % 4 == 0);
        if (number % 4 == 3)
            usleep(500);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        allocates(2);
        return 5;
    }
    if (argc != 3)
        fail("usage");
    self = argv[0];
    int threads = atoi(argv[1]);
    until_ms = now_ms() + atol(argv[2]);
    pthread_t *all = calloc((size_t)threads, sizeof *all);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&all[i], NULL, churns, (void *)(size_t)i))
            fail("pthread_create");
    for (int i = 0; i < threads; i++)
        if (pthread_join(all[i], NULL))
            fail("pthread_join");
    free(all);
    say("threads", threads);
    return 6;
}
