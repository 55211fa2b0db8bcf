// A daemon: forks twice, gets a session of its own and writes after its parents have gone.
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "must.h"

int main(void)
{
    pid_t first = fork();
    MUST(first >= 0);
    if (first > 0) {
        int status;
        MUST(waitpid(first, &status, 0) == first);
        MUST(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        printf("parent ends\n");
        return 0;
    }
    MUST(setsid() == getpid());
    int ends[2];
    MUST(!pipe(ends));
    pid_t second = fork();
    MUST(second >= 0);
    if (second > 0)
        _exit(0);
    // The grandchild waits until its parent has gone: the other end of the pipe closes only then.
    close(ends[1]);
    char byte;
    MUST(read(ends[0], &byte, 1) == 0);
    close(ends[0]);
    umask(022);
    MUST(!chdir("/"));
    usleep(20000);
    for (int i = 0; i < 100; i++) {
        volatile char *block = malloc((size_t)i + 1);
        block[i] = 1;
        free((void *)block);
    }
    MUST(getsid(0) != getpid());
    dprintf(1, "daemon ends\n");
    dprintf(1, "call.fork=2\n");
    return 0;
}
