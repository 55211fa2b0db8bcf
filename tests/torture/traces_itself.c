// Asks to be traced by its parent and stops for it, as a debugger's child does.
//
// torture: builds one
// torture: except * "calls ptrace: if it traces what it starts" a process has one tracer, which calltap is already
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include "must.h"

int main(void)
{
    int status;
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
            _exit(3);
        raise(SIGSTOP);
        _exit(4);
    }
    MUST(waitpid(child, &status, 0) == child);
    if (WIFSTOPPED(status)) {
        MUST(!ptrace(PTRACE_CONT, child, NULL, NULL));
        MUST(waitpid(child, &status, 0) == child);
    }
    printf("the child ended with %d\n", WEXITSTATUS(status));
    return WEXITSTATUS(status) != 4;
}
