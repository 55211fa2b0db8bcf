// Becomes another user and then executes a program: that works as without us; it is untapped, which the report says.
//
// torture: root
// torture: builds one
#define _GNU_SOURCE
#include <grp.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

int main(void)
{
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        MUST(!setgroups(0, NULL) && !setgid(65534) && !setuid(65534));
        execl("/bin/sh", "sh", "-c", "id -u; id -g; /bin/echo child of another user", (char *)NULL);
        _exit(127);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child && status == 0);
    printf("call.fork=1\n");
    return 0;
}
