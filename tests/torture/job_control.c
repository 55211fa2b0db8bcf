// Stops and continues a child, as a shell does, and is told of each: SIGSTOP, SIGTSTP, SIGTTIN, SIGCONT.
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

static volatile sig_atomic_t continued;

static void on_continue(int number)
{
    (void)number;
    continued++;
}

int main(void)
{
    int order[2], answer[2];
    MUST(!pipe(order) && !pipe(answer));
    printf("pipes %d %d %d %d\n", order[0], order[1], answer[0], answer[1]);
    fflush(stdout);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        MUST(!setpgid(0, 0));
        close(order[1]);
        struct sigaction action = {.sa_handler = on_continue, .sa_flags = SA_RESTART};
        MUST(!sigaction(SIGCONT, &action, NULL));
        MUST(write(answer[1], "r", 1) == 1);
        char byte;
        while (read(order[0], &byte, 1) == 1) {
            void *volatile block = malloc(100);
            free(block);
            MUST(write(answer[1], &byte, 1) == 1);
        }
        _exit(continued);
    }
    setpgid(child, child);
    close(order[0]);
    char byte;
    int status;
    siginfo_t info;
    MUST(read(answer[0], &byte, 1) == 1);
    const int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGSTOP, SIGTSTP};
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        MUST(!(i % 2 ? kill(child, stops[i]) : killpg(child, stops[i])));
        MUST(waitpid(child, &status, WUNTRACED) == child);
        MUST(WIFSTOPPED(status) && WSTOPSIG(status) == stops[i]);
        // A stopped child does no work: nothing comes until it goes on.
        MUST(write(order[1], "w", 1) == 1);
        MUST(waitpid(child, &status, WUNTRACED | WCONTINUED | WNOHANG) == 0);
        MUST(!kill(child, SIGCONT));
        MUST(!waitid(P_PID, (id_t)child, &info, WCONTINUED));
        MUST(info.si_code == CLD_CONTINUED && info.si_status == SIGCONT);
        MUST(read(answer[0], &byte, 1) == 1 && byte == 'w');
    }
    // SIGKILL ends what is stopped.
    MUST(!kill(child, SIGSTOP) && waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    MUST(!kill(child, SIGCONT) && waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
    close(order[1]);
    MUST(waitpid(child, &status, 0) == child && WIFEXITED(status));
    printf("continued %d\n", WEXITSTATUS(status));
    MUST(WEXITSTATUS(status) == 7);
    child = fork();
    if (child == 0)
        for (;;)
            pause();
    MUST(!kill(child, SIGSTOP) && waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    MUST(!kill(child, SIGKILL) && waitpid(child, &status, WUNTRACED) == child);
    MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    printf("call.fork=2\ncall.pipe=2\n");
    return 0;
}
