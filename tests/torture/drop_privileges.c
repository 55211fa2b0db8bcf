// Drops root's privileges as a daemon does, groups, group and user, in a process with threads, and works on.
//
// torture: root
// torture: libraries -pthread
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

enum { NOBODY = 65534 };
static pthread_barrier_t barrier;

static void *see(void *unused)
{
    void *volatile block = malloc(100);
    free(block);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier); // Here main has dropped them for all threads.
    MUST(getuid() == NOBODY && geteuid() == NOBODY && getegid() == NOBODY);
    MUST(open("/etc/shadow", O_RDONLY) == -1 && errno == EACCES);
    for (int i = 0; i < 100; i++) {
        block = malloc(100);
        free(block);
    }
    return unused;
}

static void *begin_later(void *unused)
{
    void *volatile block = malloc(100);
    free(block);
    return unused;
}

int main(void)
{
    pthread_t threads[3];
    pthread_barrier_init(&barrier, NULL, 4);
    for (int i = 0; i < 3; i++)
        MUST(!pthread_create(&threads[i], NULL, see, NULL));
    pthread_barrier_wait(&barrier);
    MUST(!setgroups(0, NULL) && !setgid(NOBODY) && !setuid(NOBODY));
    MUST(getgroups(0, NULL) == 0 && setuid(0) == -1 && errno == EPERM);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 3; i++)
        MUST(!pthread_join(threads[i], NULL));
    MUST(!pthread_create(&threads[0], NULL, begin_later, NULL) && !pthread_join(threads[0], NULL));
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        void *volatile block = malloc(100);
        free(block);
        _exit(open("/dev/null", O_RDONLY) == 3 ? 8 : 9);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 8);
    printf("dropped\ncall.fork=1\n");
    return 0;
}
