// A child enters seccomp's strict mode (read, write and exit only) and writes.
//
// torture: builds one
// torture: except run "asks for seccomp's strict mode" the kernel refuses strict mode to what has a filter, and one stops system calls
// torture: except run-all "asks for seccomp's strict mode" the kernel refuses strict mode to what has a filter, and one stops system calls
// torture: except run-no-stacks "asks for seccomp's strict mode" the kernel refuses strict mode to what has a filter, and one stops system calls
// torture: except run-got* "asks for seccomp's strict mode" the kernel refuses strict mode to what has a filter, and one stops system calls
#define _GNU_SOURCE
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "must.h"

int main(void)
{
    void *volatile block = malloc(100);
    free(block);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        MUST(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
        static const char said[] = "written in strict mode\n";
        if (write(1, said, sizeof said - 1) != sizeof said - 1)
            syscall(SYS_exit, 3);
        syscall(SYS_exit, 5);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    printf("call.fork=1\n");
    return 0;
}
