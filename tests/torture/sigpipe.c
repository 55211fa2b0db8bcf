// Pipes: what is written arrives, a full one refuses, one without readers kills a child by SIGPIPE or says EPIPE.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include "must.h"

int main(void)
{
    int ends[2], status;
    MUST(!pipe2(ends, O_NONBLOCK));
    printf("pipe %d %d\n", ends[0], ends[1]);
    fflush(stdout);
    static char block[4096], back[4096];
    memset(block, 'x', sizeof block);
    long writes = 0, reads = 0, total = 0;
    for (;;) {
        ssize_t done = write(ends[1], block, sizeof block);
        writes++;
        if (done < 0)
            break;
        total += done;
    }
    MUST(errno == EAGAIN);
    MUST(fcntl(ends[1], F_GETPIPE_SZ) == total);
    for (ssize_t done; (done = read(ends[0], back, sizeof back)) > 0; reads++)
        total -= done;
    MUST(errno == EAGAIN && total == 0 && reads == writes - 1);
    close(ends[0]);
    pid_t child = fork();
    if (child == 0) {
        write(ends[1], block, 1) == 1 ? _exit(1) : _exit(2);
    }
    MUST(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    signal(SIGPIPE, SIG_IGN);
    MUST(write(ends[1], block, 1) == -1 && errno == EPIPE);
    close(ends[1]);
    printf("total %ld\ncall.pipe2=1\ncall.fork=1\n", total);
    return 0;
}
