// Binds itself, its threads and a child to one CPU, and is there, and only there, whenever it looks.
//
// torture: libraries -pthread
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

static int last;

static void must_be_there(void)
{
    cpu_set_t set;
    for (int i = 0; i < 200; i++) {
        void *volatile block = malloc(100);
        free(block);
        MUST(sched_getcpu() == last);
        MUST(!sched_getaffinity(0, sizeof set, &set) && CPU_COUNT(&set) == 1 && CPU_ISSET(last, &set));
    }
    MUST(close(open("/dev/null", O_RDONLY)) == 0);
    MUST(sched_getcpu() == last);
}

static void *work(void *unused)
{
    must_be_there();
    return unused;
}

int main(void)
{
    cpu_set_t set, all;
    MUST(!sched_getaffinity(0, sizeof all, &all) && CPU_COUNT(&all) == sysconf(_SC_NPROCESSORS_ONLN));
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all)) {
            last = cpu;
            CPU_ZERO(&set);
            CPU_SET(cpu, &set);
            MUST(!sched_setaffinity(0, sizeof set, &set));
            must_be_there();
        }
    pthread_t thread;
    MUST(!pthread_create(&thread, NULL, work, NULL) && !pthread_join(thread, NULL));
    int status;
    pid_t child = fork();
    if (child == 0) {
        must_be_there();
        _exit(0);
    }
    MUST(waitpid(child, &status, 0) == child && status == 0);
    MUST(!sched_setaffinity(0, sizeof all, &all));
    printf("bound\ncall.fork=1\n");
    return 0;
}
