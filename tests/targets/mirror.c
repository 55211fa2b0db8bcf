// Prints all that a program can see of itself that a tool inside it could disturb.
//
// Run bare and tapped, it must print the same.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <immintrin.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include "say.h"

extern char **environ;

static void descriptors(void)
{
    char name[64], link[256];
    for (int fd = 0; fd < 4096; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            continue;
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(name, link, sizeof link - 1);
        link[length < 0 ? 0 : length] = 0;
        snprintf(name, sizeof name, "fd.%d flags=%x,%x", fd, fcntl(fd, F_GETFD), fcntl(fd, F_GETFL));
        say_text(name, fd < 3 ? "standard" : link);
    }
    int next = open("/dev/null", O_RDONLY);
    say("next descriptor", next);
    close(next);
}

static void threads(void)
{
    int tasks = 0;
    DIR *list = opendir("/proc/self/task");
    for (struct dirent *entry; (entry = readdir(list));)
        tasks += entry->d_name[0] != '.';
    closedir(list);
    say("tasks", tasks);
}

static void signals(void)
{
    char name[64];
    sigset_t blocked, pending;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    sigpending(&pending);
    for (int signal = 1; signal < 65; signal++) {
        struct sigaction action;
        if (sigaction(signal, NULL, &action))
            continue;
        snprintf(name, sizeof name, "signal.%d", signal);
        say(name, (action.sa_handler == SIG_IGN) + 2 * (action.sa_handler != SIG_DFL) + 4 * action.sa_flags
                      + 1000000LL * sigismember(&blocked, signal) + 2000000LL * sigismember(&pending, signal));
    }
    stack_t stack;
    sigaltstack(NULL, &stack);
    say("alternate stack", stack.ss_flags);
}

static void timers(void)
{
    for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++) {
        struct itimerval timer;
        getitimer(which, &timer);
        say("timer", timer.it_value.tv_sec + timer.it_value.tv_usec + timer.it_interval.tv_sec);
    }
    char text[256];
    int posix = open("/proc/self/timers", O_RDONLY);
    say("posix timers", posix < 0 ? 0 : read(posix, text, sizeof text));
    close(posix);
}

static void limits(void)
{
    for (int resource = 0; resource < RLIMIT_NLIMITS; resource++) {
        struct rlimit limit;
        getrlimit((__rlimit_resource_t)resource, &limit);
        say("soft limit", (long long)limit.rlim_cur);
        say("hard limit", (long long)limit.rlim_max);
    }
}

static void attributes(void)
{
    cpu_set_t cpus;
    sched_getaffinity(0, sizeof cpus, &cpus);
    say("cpus", CPU_COUNT(&cpus));
    say("policy", sched_getscheduler(0));
    say("nice", getpriority(PRIO_PROCESS, 0));
    mode_t mask = umask(0);
    umask(mask);
    say("umask", mask);
    char name[32] = "", directory[4096] = "";
    prctl(PR_GET_NAME, name);
    say_text("name", name);
    say_text("directory", getcwd(directory, sizeof directory) ? directory : "?");
    say("dumpable", prctl(PR_GET_DUMPABLE));
    say("no new privileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    say("seccomp", prctl(PR_GET_SECCOMP));
    say("subreaper", ({ int is = 0; prctl(PR_GET_CHILD_SUBREAPER, &is); is; }));
    say("parent death signal", ({ int is = 0; prctl(PR_GET_PDEATHSIG, &is); is; }));
    say("timer slack", prctl(PR_GET_TIMERSLACK));
    say("personality", personality(0xffffffff));
    say_text("file", (const char *)getauxval(AT_EXECFN));
    say("secure", (long long)getauxval(AT_SECURE));
}

// With tolerant.c preloaded: how many blocks it gave. We take none of the program's heap.
static void heap(void)
{
    free(malloc(1));
    long (*given)(void) = (long (*)(void))dlsym(RTLD_DEFAULT, "tolerant_blocks_given");
    say("blocks given", given ? given() : 0);
}

// What a hook could leave behind in the floating-point unit.
static void floating_point(void)
{
    fesetround(FE_UPWARD);
    feraiseexcept(FE_INEXACT);
    _mm_setcsr(_mm_getcsr() | 0x8040); // flush to zero, denormals are zero
    unsigned before = _mm_getcsr();
    volatile double third = 1.0 / 3.0;
    volatile double kept = third;
    free(malloc(100));
    close(open("/dev/null", O_RDONLY));
    say("mxcsr kept", before == _mm_getcsr());
    say("rounding", fegetround());
    say("value kept", kept == third);
    fesetround(FE_TONEAREST);
}

int main(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        say_text("argument", argv[i]);
    for (char **variable = environ; *variable; variable++)
        say_text("variable", *variable);
    const char *preload = getenv("LD_PRELOAD");
    say_text("LD_PRELOAD", preload ? preload : "(unset)");
    descriptors();
    threads();
    signals();
    timers();
    limits();
    attributes();
    floating_point();
    heap();
    fflush(stdout);
    return system("env | sort | sed '/^_=/d;/^PWD=/d;/^SHLVL=/d;/^OLDPWD=/d'") != 0;
}
