// A subreaper becomes the parent of its grandchild, collects it, and only it.
#include <sys/prctl.h>
#include <sys/wait.h>
#include "must.h"

int main(void)
{
    int is = -1;
    MUST(!prctl(PR_GET_CHILD_SUBREAPER, &is) && is == 0);
    MUST(!prctl(PR_SET_CHILD_SUBREAPER, 1));
    int ends[2];
    MUST(!pipe(ends));
    for (int i = 0; i < 10; i++) {
        pid_t reaper = getpid(), child = fork();
        MUST(child >= 0);
        if (child == 0) {
            pid_t parent = getpid(), grandchild = fork();
            if (grandchild == 0) {
                char byte;
                close(ends[1]);
                MUST(read(ends[0], &byte, 1) == 1); // Written after the parent has been collected.
                MUST(getppid() == reaper && getppid() != parent);
                _exit(33);
            }
            _exit(22);
        }
        int status;
        MUST(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 22);
        MUST(write(ends[1], "x", 1) == 1);
        MUST(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 33);
        MUST(wait(&status) == -1 && errno == ECHILD);
    }
    printf("pipe %d %d\ncall.fork=20\n", ends[0], ends[1]);
    return 0;
}
