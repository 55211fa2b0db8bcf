// Enters namespaces of its own, of users, mounts and processes, forks there and runs programs as process 1.
//
// torture: builds one
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include "must.h"

static void put(const char *path, const char *text)
{
    int file = open(path, O_WRONLY);
    MUST(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text) && !close(file));
}

int main(void)
{
    char map[64];
    snprintf(map, sizeof map, "0 %d 1", (int)geteuid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)) {
        fprintf(stderr, "no namespace can be made here: %s\n", strerror(errno));
        return 77;
    }
    put("/proc/self/setgroups", "deny");
    put("/proc/self/uid_map", map);
    MUST(getuid() == 0);
    void *volatile block = malloc(100);
    free(block);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        // Process 1 of the namespace, with the outer /proc first, then with its own.
        MUST(getpid() == 1);
        block = malloc(100);
        free(block);
        MUST(system("exit 4") == 4 << 8);
        MUST(!mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
        int own = mount("proc", "/proc", "proc", 0, NULL);
        printf("own /proc %d\n", own);
        fflush(stdout);
        if (own == 0)
            MUST(system("test $$ -lt 10") == 0);
        MUST(system("/bin/echo from the inside; kill -9 $$") == 9);
        pid_t grandchild = fork();
        if (grandchild == 0)
            _exit(getppid() == 1 ? 3 : 4);
        int status;
        MUST(waitpid(grandchild, &status, 0) == grandchild && WEXITSTATUS(status) == 3);
        _exit(9);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child && WIFEXITED(status));
    printf("process 1 ended with %d\ncall.fork=2\ncall.system=3\n", WEXITSTATUS(status));
    return WEXITSTATUS(status) != 9;
}
