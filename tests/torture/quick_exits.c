// quick_exit runs its own handlers and nothing else; _exit in a child runs none at all.
//
// torture: ends 4
#define _GNU_SOURCE
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void quick(void) { (void)!write(2, "at_quick_exit\n", 14); }
static void never(void) { (void)!write(2, "atexit?\n", 8); }

int main(void)
{
    EXPECT(atexit(never) == 0 && at_quick_exit(quick) == 0 && at_quick_exit(quick) == 0);
    for (int i = 0; i < 5; i++) {
        int status;
        pid_t child = fork();
        if (child == 0)
            i % 2 ? _Exit(20 + i) : _exit(20 + i);
        EXPECT(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 20 + i);
    }
    puts("call.fork=5\ncall.quick_exit=1");
    fflush(stdout);
    quick_exit(4);
}
