// Makes children in one way: family MODE [DIRECTORY]. Each child makes CHILD_CALLS allocations of its own.
//
// The exec'ed part of each mode is this program again: family exec'ed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include "say.h"

enum { CHILD_CALLS = 1000, FORKS = 50, THREADS = 4 };

extern char **environ;
static char *self;
static char *execed[] = {"family", "execed", NULL};

static void child_calls(void)
{
    for (int i = 0; i < CHILD_CALLS; i++)
        free(malloc(40));
}

static int status_of(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            fail("waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void expect_0(pid_t child)
{
    if (child < 0 || status_of(child) != 0)
        fail("a child's status");
}

static atomic_int stop;

static void *allocate(void *unused)
{
    while (!stop)
        free(malloc(70));
    return unused;
}

// fork while other threads are inside malloc; the child frees a block of its parent.
static void fork_among_threads(void)
{
    pthread_t id[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&id[i], NULL, allocate, NULL);
    for (int i = 0; i < FORKS; i++) {
        char *parents = malloc(500);
        pid_t child = fork();
        if (child == 0) {
            free(parents);
            child_calls();
            _exit(close(open("/dev/null", O_RDONLY)));
        }
        expect_0(child);
        free(parents);
    }
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(id[i], NULL);
    say("children", FORKS);
}

// fork as the kernel sees it: no wrapper, no handlers. Each child begins with `first`.
static void raw_children(void (*first)(void))
{
    for (int i = 0; i < FORKS; i++) {
        char *parents = malloc(500);
        pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
        if (child == 0) {
            first();
            free(parents);
            child_calls();
            _exit(0);
        }
        expect_0(child);
        free(parents);
    }
    say("children", FORKS);
}

static void nothing(void)
{
}

static void raw_clone(void)
{
    raw_children(nothing);
}

static int run_thread(void *calls)
{
    if (calls)
        child_calls();
    return 0;
}

static void thread_of(void *calls)
{
    thrd_t id;
    if (thrd_create(&id, run_thread, calls) != thrd_success || thrd_join(id, NULL) != thrd_success)
        fail("a thread");
}

static void calling_thread(void)
{
    thread_of(&(char){0});
}

// The first calls of a child are those of a thread that it has made: thrd_create is not tapped, nor is what it calls once
// there is a stack to use again.
static void thread_before_forker(void)
{
    thread_of(NULL);
    raw_children(calling_thread);
}

static void vfork_exec(void)
{
    for (volatile int i = 0; i < 5; i++) {
        pid_t child = vfork();
        if (child == 0) {
            execve(self, execed, environ);
            _exit(127);
        }
        expect_0(child);
    }
    say("children", 5);
}

// A vfork child shares its parent's memory, not its descriptors.
static void vfork_close(void)
{
    int kept = open("/dev/null", O_RDONLY);
    int ends[2];
    if (kept < 0 || pipe(ends))
        fail("descriptors");
    pid_t child = vfork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(kept);
        close(ends[0]);
        close(ends[1]);
        execve(self, execed, environ);
        _exit(127);
    }
    expect_0(child);
    if (fcntl(kept, F_GETFD) < 0)
        fail("the child closed the parent's descriptor");
    close(ends[0]);
    close(ends[1]);
    say("kept", kept);
}

static void spawn(void)
{
    for (int i = 0; i < 5; i++) {
        pid_t child;
        if (posix_spawn(&child, self, NULL, NULL, execed, environ))
            fail("posix_spawn");
        expect_0(child);
    }
    say("children", 5);
}

static void spawn_emptied(void)
{
    char *nothing[] = {NULL};
    pid_t child;
    if (posix_spawn(&child, self, NULL, NULL, execed, nothing))
        fail("posix_spawn");
    expect_0(child);
    say("children", 1);
}

static void exec_emptied(void)
{
    char *nothing[] = {NULL};
    execve(self, execed, nothing);
    fail("execve");
}

static void *exec_now(void *unused)
{
    execv(self, execed);
    return unused;
}

// What a shell's job control does: stop, notice, continue, notice, end.
static void stop_and_continue(void)
{
    int status;
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        if (child == 0)
            for (;;)
                pause();
        if (kill(child, SIGSTOP) || waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status))
            fail("a stop was not noticed");
        if (WSTOPSIG(status) != SIGSTOP || waitpid(child, &status, WNOHANG | WUNTRACED) != 0)
            fail("not stopped once by SIGSTOP");
        if (kill(child, SIGCONT) || waitpid(child, &status, WCONTINUED) != child || !WIFCONTINUED(status))
            fail("a continuation was not noticed");
        kill(child, SIGTERM);
        if (status_of(child) != 128 + SIGTERM)
            fail("a child's signal");
    }
    say("stopped", 20);
}

// exec by another thread than the leader, while others run: all but the caller vanish.
static void exec_in_thread(void)
{
    pthread_t id;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&id, NULL, allocate, NULL);
    pthread_create(&id, NULL, exec_now, NULL);
    pthread_join(id, NULL);
    fail("exec");
}

// The classical daemon: forked twice, no descriptor left. Its marker says what it saw.
static void daemonise(const char *directory)
{
    char path[4096], text[64];
    snprintf(path, sizeof path, "%s/daemon", directory);
    if (fork() != 0)
        _exit(0);
    setsid();
    if (fork() != 0)
        _exit(0);
    for (int fd = 0; fd < 10; fd++)
        close(fd);
    close_range(10, ~0U, 0);
    child_calls();
    int marker = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    int length = snprintf(text, sizeof text, "marker=%d next=%d\n", marker, dup(marker));
    if (write(marker, text, (size_t)length) != length)
        _exit(1);
    _exit(0);
}

static void execed_part(void)
{
    child_calls();
    int variables = 0;
    while (environ[variables])
        variables++;
    say("execed.variables", variables);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } modes[] = {
        {"fork_among_threads", fork_among_threads}, {"raw_clone", raw_clone}, {"thread_before_forker", thread_before_forker}, {"vfork_exec", vfork_exec},
        {"vfork_close", vfork_close}, {"spawn", spawn}, {"spawn_emptied", spawn_emptied},
        {"exec_emptied", exec_emptied}, {"exec_in_thread", exec_in_thread}, {"stop_and_continue", stop_and_continue}, {"execed", execed_part},
    };
    self = realpath("/proc/self/exe", NULL);
    for (size_t i = 0; argc == 2 && i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(argv[1], modes[i].name)) {
            modes[i].run();
            free(self);
            return 0;
        }
    if (argc == 3 && !strcmp(argv[1], "daemonise"))
        daemonise(argv[2]);
    fail("usage");
}
