// A SIGCHLD handler that collects children with waitpid(WNOHANG) until all have come.
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

enum { CHILDREN = 30 };
static volatile sig_atomic_t collected, statuses;

static void collect(int number)
{
    (void)number;
    int before = errno, status;
    while (waitpid(-1, &status, WNOHANG) > 0) {
        collected++;
        statuses += WEXITSTATUS(status);
        void *volatile block = malloc(50); // The main program is in sigsuspend: this is sound.
        free(block);
    }
    errno = before;
}

int main(void)
{
    sigset_t chld, old;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    MUST(!sigprocmask(SIG_BLOCK, &chld, &old));
    struct sigaction action = {.sa_handler = collect, .sa_flags = SA_NOCLDSTOP};
    MUST(!sigaction(SIGCHLD, &action, NULL));
    int forks = 0, expected = 0;
    for (int i = 0; i < CHILDREN; i++, forks++) {
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0)
            _exit(i);
        expected += i;
    }
    while (collected < CHILDREN)
        MUST(sigsuspend(&old) == -1 && errno == EINTR);
    MUST(statuses == expected);
    int status;
    MUST(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD);
    printf("collected %d\ncall.fork=%d\n", (int)collected, forks);
    return 0;
}
