// Ends by quick_exit in a child and by _exit itself: their handlers run or not, buffers are lost or not, as they must.
//
// torture: ends 9
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

static void quickly(void)
{
    void *volatile block = malloc(100);
    free(block);
    MUST(write(1, "quickly\n", 8) == 8);
}

static void never(void) { MUST(!"runs at exit"); }

int main(void)
{
    MUST(!at_quick_exit(quickly) && !atexit(never));
    static const char counts[] = "call.quick_exit=1\ncall._exit=1\ncall.fork=2\n";
    MUST(write(1, counts, sizeof counts - 1) == sizeof counts - 1);
    int status;
    pid_t child = fork();
    if (child == 0) {
        printf("lost in a buffer");
        quick_exit(5);
    }
    MUST(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 5);
    child = fork();
    if (child == 0)
        abort();
    MUST(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    printf("lost, too");
    _exit(9);
}
