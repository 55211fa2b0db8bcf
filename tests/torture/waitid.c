// What waitid, waitpid and wait4 tell of children: ended, killed, not yet, left waitable, ignored.
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "must.h"

static int forks;

static pid_t child_of(int status, int number)
{
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        if (number)
            raise(number);
        _exit(status);
    }
    forks++;
    return child;
}

int main(void)
{
    siginfo_t info;
    pid_t child = child_of(42, 0);
    MUST(!waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
    MUST(info.si_code == CLD_EXITED && info.si_status == 42 && info.si_pid == child && info.si_signo == SIGCHLD);
    MUST(info.si_uid == getuid());
    MUST(!waitid(P_ALL, 0, &info, WEXITED));
    MUST(info.si_pid == child && info.si_status == 42);
    MUST(waitid(P_ALL, 0, &info, WEXITED) == -1 && errno == ECHILD);

    child = child_of(0, SIGKILL);
    MUST(!waitid(P_PID, (id_t)child, &info, WEXITED));
    MUST(info.si_code == CLD_KILLED && info.si_status == SIGKILL);
    child = child_of(0, SIGUSR2);
    struct rusage usage = {.ru_maxrss = -1};
    int status;
    MUST(wait4(child, &status, 0, &usage) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
    MUST(!WCOREDUMP(status) && usage.ru_maxrss >= 0);

    // A child that still runs: nothing to tell, whoever else watches it.
    int ends[2];
    MUST(!pipe(ends));
    child = fork();
    if (child == 0) {
        char byte;
        close(ends[1]);
        _exit((int)read(ends[0], &byte, 1));
    }
    forks++;
    close(ends[0]);
    for (int i = 0; i < 100; i++) {
        MUST(waitpid(child, &status, WNOHANG) == 0);
        MUST(waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED) == 0);
        info.si_pid = 77;
        MUST(!waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG) && info.si_pid == 0);
    }
    close(ends[1]);
    MUST(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);

    // Children whose end nobody wants to know leave nothing.
    signal(SIGCHLD, SIG_IGN);
    child_of(1, 0);
    child_of(2, 0);
    MUST(wait(&status) == -1 && errno == ECHILD);
    printf("all told\ncall.fork=%d\n", forks);
    return 0;
}
