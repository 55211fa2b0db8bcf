// Starts programs with posix_spawn: file actions, attributes, search, an emptied environment, an error.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

extern char **environ;
static int calls;

static int status_of(pid_t child)
{
    int status;
    MUST(waitpid(child, &status, 0) == child);
    return status;
}

int main(void)
{
    pid_t child;
    int ends[2];
    MUST(!pipe(ends));
    printf("pipe %d %d\n", ends[0], ends[1]);

    // Standard output goes into the pipe, everything else of it is closed; no variable is passed on.
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    char *const list[] = {"env", NULL}, *const nothing[] = {NULL};
    MUST(!posix_spawn(&child, "/usr/bin/env", &actions, NULL, list, nothing));
    calls++;
    close(ends[1]);
    char text[4096];
    ssize_t length = read(ends[0], text, sizeof text);
    MUST(length == 0);
    MUST(status_of(child) == 0);
    close(ends[0]);
    posix_spawn_file_actions_destroy(&actions);

    // A group of its own, a signal back to its default and unblocked again.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attributes, &set);
    sigaddset(&set, SIGTERM);
    posix_spawnattr_setsigdefault(&attributes, &set);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    signal(SIGTERM, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    char *const suicide[] = {"sh", "-c", "kill -TERM $$; exit 9", NULL};
    MUST(!posix_spawnp(&child, "sh", NULL, &attributes, suicide, environ));
    calls++;
    int status = status_of(child);
    MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    posix_spawnattr_destroy(&attributes);

    MUST(posix_spawn(&child, "/nonexistent/program", NULL, NULL, list, environ) == ENOENT);
    calls++;
    printf("spawned %d\n", calls);
    printf("call.posix_spawn=2\ncall.posix_spawnp=1\n");
    return 0;
}
