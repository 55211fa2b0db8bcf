// Sets its priority and scheduling policy and finds them in threads, children and programs as set.
//
// torture: libraries -pthread
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "must.h"

static void print(const char *who)
{
    errno = 0;
    int nice = getpriority(PRIO_PROCESS, 0);
    MUST(errno == 0);
    printf("%s: nice %d, policy %d\n", who, nice, sched_getscheduler(0));
    fflush(stdout);
}

static void *work(void *unused)
{
    void *volatile block = malloc(100);
    free(block);
    print("thread");
    return unused;
}

int main(void)
{
    print("at first");
    MUST(!setpriority(PRIO_PROCESS, 0, 7));
    MUST(nice(2) == 9);
    print("nicer");
    struct sched_param none = {0};
    MUST(!sched_setscheduler(0, SCHED_BATCH, &none));
    print("batch");
    pthread_t thread;
    MUST(!pthread_create(&thread, NULL, work, NULL) && !pthread_join(thread, NULL));
    int status;
    pid_t child = fork();
    if (child == 0) {
        print("child");
        _exit(0);
    }
    MUST(waitpid(child, &status, 0) == child && status == 0);
    MUST(system("nice") == 0);
    printf("call.fork=1\ncall.system=1\n");
    return 0;
}
