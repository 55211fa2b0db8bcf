// A user who may have no more processes gets EAGAIN from fork and pthread_create, and goes on.
//
// torture: root
// torture: libraries -pthread
#define _GNU_SOURCE
#include <grp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include "must.h"

static void *nothing(void *unused) { return unused; }

int main(void)
{
    // An id that nobody else uses: processes are counted by user.
    MUST(!setgroups(0, NULL) && !setresgid(64321, 64321, 64321));
    struct rlimit limit = {1, 1};
    MUST(!setrlimit(RLIMIT_NPROC, &limit));
    MUST(!setresuid(64321, 64321, 64321));
    for (int i = 0; i < 20; i++) {
        MUST(fork() == -1 && errno == EAGAIN);
        pthread_t thread;
        MUST(pthread_create(&thread, NULL, nothing, NULL) == EAGAIN);
        void *volatile block = malloc(1000);
        free(block);
    }
    printf("refused\ncall.fork=20\n");
    return 0;
}
