// Makes itself undumpable, so that others may not look into it, goes on with threads, children and programs.
//
// torture: libraries -pthread
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "must.h"

static void *work(void *unused)
{
    void *volatile block = malloc(5000);
    free(block);
    return unused;
}

int main(void)
{
    MUST(prctl(PR_GET_DUMPABLE) == 1);
    MUST(!prctl(PR_SET_DUMPABLE, 0));
    MUST(prctl(PR_GET_DUMPABLE) == 0);
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        MUST(!pthread_create(&thread, NULL, work, NULL) && !pthread_join(thread, NULL));
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0) {
            work(NULL);
            _exit(prctl(PR_GET_DUMPABLE) == 0 ? 3 : 4);
        }
        int status;
        MUST(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3);
    }
    MUST(system("exit 2") == 2 << 8);
    MUST(prctl(PR_GET_DUMPABLE) == 0);
    printf("undumpable\ncall.fork=20\ncall.system=1\n");
    return 0;
}
