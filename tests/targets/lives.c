// Leaks 5 blocks of 43 bytes in a process that is not simply the program's first one: lives MODE.
//
// The leaking line is marked LEAK leaks, the calls of it VIA with the mode. At exec the program has its own
// path too, LEAK path.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "say.h"

static char *self;
static void *volatile kept;

static __attribute__((noinline)) void leaks(void)
{
    for (int i = 0; i < 5; i++)
        kept = malloc(43); // LEAK leaks
    say("leaked.leaks.blocks", 5);
    say("leaked.leaks.bytes", 5 * 43);
}

static void wait_for(pid_t child)
{
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        fail("a child's end");
}

static void forked(void)
{
    pid_t child = fork();
    if (child == 0) {
        leaks(); // VIA forked
        _exit(0);
    }
    wait_for(child);
}

static void execed(void)
{
    execl(self, self, "last", NULL);
    fail("execl");
}

static void last(void)
{
    leaks(); // VIA last
    kept = NULL;
}

// Gone before the leak is made: only the kernel has the file now.
static void deleted(void)
{
    if (unlink(self))
        fail("unlink");
    leaks(); // VIA deleted
    kept = NULL;
}

// Another program stands at the same path when the report is made.
static void replaced(void)
{
    char name[4096];
    snprintf(name, sizeof name, "%s.new", self);
    int from = open("/bin/true", O_RDONLY), to = open(name, O_WRONLY | O_CREAT | O_EXCL, 0700);
    char bytes[4096];
    for (ssize_t length; (length = read(from, bytes, sizeof bytes)) > 0;)
        if (write(to, bytes, (size_t)length) != length)
            fail("write");
    close(from);
    close(to);
    leaks(); // VIA replaced
    if (rename(name, self))
        fail("rename");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {{"forked", forked}, {"execed", execed}, {"last", last}, {"deleted", deleted}, {"replaced", replaced}};
    self = realpath("/proc/self/exe", NULL); // LEAK path
    for (size_t i = 0; argc == 2 && i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(argv[1], modes[i].name)) {
            modes[i].run();
            free(self);
            return 0;
        }
    fail("usage");
}
