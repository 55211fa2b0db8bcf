// Does one wrong thing to a descriptor, or does the same without it: misused MODE fault|clean.
//
// The line that does it is marked FAULT with the mode. No descriptor is left in any mode.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "say.h"

static int faulty;
static char *self;

static int must(int result, const char *what)
{
    if (result < 0)
        fail(what);
    return result;
}

static pthread_barrier_t turn;
static int contested;

// Gets the number that the other has given back, and finds it closed under its hands.
static void *owner(void *unused)
{
    pthread_barrier_wait(&turn);
    int mine = must(open("/dev/zero", O_RDONLY | O_CLOEXEC), "open");
    if (mine != contested)
        fail("the number came not again");
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    if ((close(mine) == 0) == faulty)
        fail("the owner's close");
    return unused;
}

static void race(void)
{
    pthread_t other;
    pthread_barrier_init(&turn, NULL, 2);
    contested = must(open("/dev/null", O_RDONLY | O_CLOEXEC), "open");
    must(-pthread_create(&other, NULL, owner, NULL), "pthread_create");
    close(contested);
    pthread_barrier_wait(&turn);
    pthread_barrier_wait(&turn);
    if (faulty)
        close(contested); // FAULT race
    pthread_barrier_wait(&turn);
    pthread_join(other, NULL);
}

static void double_close(void)
{
    int fd = must(open("/dev/null", O_RDONLY | O_CLOEXEC), "open");
    close(fd);
    if (faulty && (close(fd) == 0 || errno != EBADF)) // FAULT double_close
        fail("the second close");
}

static void use_after_close(void)
{
    int fd = must(open("/dev/null", O_RDONLY | O_CLOEXEC), "open");
    close(fd);
    if (faulty && (dup(fd) >= 0 || errno != EBADF)) // FAULT use_after_close
        fail("dup of nothing");
}

static void inherited(void)
{
    int fd = must(open("/dev/zero", O_RDONLY | (faulty ? 0 : O_CLOEXEC)), "open"); // FAULT inherited
    pid_t child = must(fork(), "fork");
    if (child == 0) {
        execl(self, self, "child", "clean", NULL);
        _exit(127);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0)
        fail("the child");
    close(fd);
}

static void child(void)
{
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {{"race", race}, {"double_close", double_close}, {"use_after_close", use_after_close},
                 {"inherited", inherited}, {"child", child}};
    if (argc != 3)
        fail("usage");
    self = argv[0];
    faulty = !strcmp(argv[2], "fault");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(argv[1], modes[i].name)) {
            modes[i].run();
            return 0;
        }
    fail("usage");
}
