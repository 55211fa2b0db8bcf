// Starts programs with vfork and exec, also one that does not exist, and children that only end.
#include <sys/wait.h>
#include "must.h"

extern char **environ;

// What vfork's child leaves in its parent's memory must be there afterwards.
static volatile int seen;

static int started(const char *path, char *const arguments[])
{
    int status;
    pid_t child = vfork();
    if (child == 0) {
        seen++;
        execve(path, arguments, environ);
        seen += 100;
        _exit(errno == ENOENT ? 44 : 45);
    }
    MUST(child > 0);
    MUST(waitpid(child, &status, 0) == child);
    MUST(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int main(void)
{
    char *const yes[] = {"true", NULL}, *const no[] = {"false", NULL};
    static int calls; // vfork's child shares the stack; what it may change is no local.
    for (int i = 0; i < 10; i++) {
        MUST(started("/bin/true", yes) == 0);
        MUST(started("/bin/false", no) == 1);
        MUST(started("/nonexistent/program", yes) == 44);
        calls += 3;
    }
    MUST(seen == 30 + 10 * 100);
    for (int i = 0; i < 10; i++) {
        int status;
        pid_t child = vfork();
        if (child == 0)
            _exit(3);
        calls++;
        MUST(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
    }
    printf("seen %d\ncall.vfork=%d\n", seen, calls);
    return 0;
}
