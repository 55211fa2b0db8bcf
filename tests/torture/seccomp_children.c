// A strict sandbox in which threads and forked children begin: each allocates, and nobody asks the kernel who it is.
//
// torture: libraries -pthread
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/wait.h>
#include "sandbox.h"

static void work(void)
{
    for (size_t i = 1; i <= 10; i++) {
        void *volatile block = malloc(i * 100);
        if (!block)
            _exit(2);
        free(block);
    }
}

static void *thread(void *given)
{
    work();
    return given;
}

// One child, and a thread of this process.
static void both(void)
{
    pthread_t made;
    MUST(!pthread_create(&made, NULL, thread, NULL));
    MUST(!pthread_join(made, NULL));
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        work();
        _exit(5);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

static void *forks(void *given)
{
    work();
    both();
    return given;
}

int main(void)
{
    ENTER_SANDBOX(ALLOW(SYS_clone), ALLOW(SYS_clone3), ALLOW(SYS_exit), ALLOW(SYS_wait4), ALLOW(SYS_futex), ALLOW(SYS_mprotect),
        ALLOW(SYS_rt_sigaction), ALLOW(SYS_rt_sigprocmask), ALLOW(SYS_set_robust_list), ALLOW(SYS_rseq), ALLOW(SYS_madvise),
        ALLOW(SYS_getrandom),);
    work();
    both();
    pthread_t made;
    MUST(!pthread_create(&made, NULL, forks, NULL));
    MUST(!pthread_join(made, NULL));
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        // A child's own, before it has allocated, and its child.
        both();
        work();
        _exit(5);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    static const char said[] = "many in a sandbox\ncall.fork=4\ncall.waitpid=4\ncall.pthread_create=4\ncall.pthread_join=4\n";
    return write(1, said, sizeof said - 1) != sizeof said - 1;
}
