// Starts programs in little address space (64 MiB): they do their work in it as they would without us.
//
// torture: builds one
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "must.h"

int main(void)
{
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        struct rlimit limit = {64 << 20, 64 << 20};
        MUST(!setrlimit(RLIMIT_AS, &limit));
        execl("/bin/sh", "sh", "-c", "echo in a small space; /bin/true && exec /bin/echo and its child", (char *)NULL);
        _exit(127);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child);
    MUST(WIFEXITED(status));
    return WEXITSTATUS(status);
}
