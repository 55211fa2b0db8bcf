// Children that asked for a signal when their parent ends get it, at once.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "must.h"

int main(void)
{
    MUST(!prctl(PR_SET_CHILD_SUBREAPER, 1));
    int ready[2];
    for (int i = 0; i < 10; i++) {
        MUST(!pipe(ready));
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0) {
            pid_t grandchild = fork();
            if (grandchild == 0) {
                int set = 0;
                MUST(!prctl(PR_SET_PDEATHSIG, SIGUSR1));
                MUST(!prctl(PR_GET_PDEATHSIG, &set) && set == SIGUSR1);
                MUST(write(ready[1], "r", 1) == 1);
                for (;;)
                    pause();
            }
            char byte;
            MUST(read(ready[0], &byte, 1) == 1);
            _exit(0);
        }
        close(ready[1]);
        close(ready[0]);
        int status, killed = 0, ended = 0;
        for (int ends = 0; ends < 2; ends++) {
            pid_t who = wait(&status);
            MUST(who > 0);
            ended += who == child && WIFEXITED(status);
            killed += who != child && WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1;
        }
        MUST(ended == 1 && killed == 1);
    }
    printf("all were told\ncall.fork=20\n");
    return 0;
}
