// Forks in four threads while four others allocate; each child allocates, opens and ends at once.
//
// torture: libraries -pthread
// torture: repeat 20
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

enum { FORKERS = 4, FORKS = 5, WORKERS = 4 };
static volatile int over;
static long forks, children_right;

static void *work(void *unused)
{
    (void)unused;
    for (size_t size = 1; !over; size = size % 5000 + 7) {
        volatile char *block = malloc(size);
        MUST(block);
        block[size - 1] = 1;
        free((void *)block);
    }
    return NULL;
}

static void *multiply(void *unused)
{
    (void)unused;
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0) {
            volatile char *block = malloc(3000);
            block[2999] = 1;
            free((void *)block);
            int null = open("/dev/null", O_WRONLY);
            _exit(null == 3 ? 7 : 8);
        }
        __atomic_add_fetch(&forks, 1, __ATOMIC_RELAXED);
        int status;
        MUST(waitpid(child, &status, 0) == child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 7)
            __atomic_add_fetch(&children_right, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

int main(void)
{
    pthread_t workers[WORKERS], forkers[FORKERS];
    for (int i = 0; i < WORKERS; i++)
        MUST(!pthread_create(&workers[i], NULL, work, NULL));
    for (int i = 0; i < FORKERS; i++)
        MUST(!pthread_create(&forkers[i], NULL, multiply, NULL));
    for (int i = 0; i < FORKERS; i++)
        MUST(!pthread_join(forkers[i], NULL));
    over = 1;
    for (int i = 0; i < WORKERS; i++)
        MUST(!pthread_join(workers[i], NULL));
    printf("children right %ld\ncall.fork=%ld\n", children_right, forks);
    return children_right != FORKERS * FORKS;
}
