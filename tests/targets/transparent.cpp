// What a tracer inside the program could break: ways of leaving, of returning twice, of changing stacks. Everything it
// prints must be the same with and without it.
#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <thread>
#include <ucontext.h>
#include <unistd.h>
#include <vector>

extern "C" {
#include "say.h"
}

static int ascending(const void *a, const void *b) { return *static_cast<const int *>(a) - *static_cast<const int *>(b); }

// Exceptions: through the C library, in destructors, across threads.
struct Count {
    long &n;
    ~Count() { n++; }
};

static int thrower(const void *, const void *) { throw std::runtime_error("no"); }

static void exceptions()
{
    long destroyed = 0, caught = 0;
    for (int i = 0; i < 200; i++) {
        int numbers[] = {2, 1};
        try {
            Count count{destroyed};
            std::qsort(numbers, 2, sizeof(int), i % 2 ? thrower : ascending);
        } catch (const std::exception &thrown) {
            caught += static_cast<long>(std::strlen(thrown.what()));
        }
    }
    say("exceptions.destroyed", destroyed);
    say("exceptions.caught", caught);
}

// Cancellation in a call, and pthread_exit under one.
static long cleanups;

static void *cancelled(void *)
{
    Count count{cleanups};
    for (;;)
        usleep(100000);
}

static int leave_thread(const void *, const void *)
{
    Count count{cleanups};
    pthread_exit(reinterpret_cast<void *>(5));
}

static void *leaves(void *)
{
    int numbers[] = {2, 1};
    Count count{cleanups};
    std::qsort(numbers, 2, sizeof(int), leave_thread);
    return nullptr;
}

static void cancellation()
{
    long results = 0;
    for (int i = 0; i < 50; i++) {
        pthread_t thread;
        void *result;
        pthread_create(&thread, nullptr, cancelled, nullptr);
        pthread_cancel(thread);
        pthread_join(thread, &result);
        results += result == PTHREAD_CANCELED;
        pthread_create(&thread, nullptr, leaves, nullptr);
        pthread_join(thread, &result);
        results += reinterpret_cast<long>(result);
    }
    say("cancellation.results", results);
    // A thread may be cancelled before its first step: what it had not made, it need not unmake.
    say("cancellation.left", cleanups >= 100);
}

// Jumps: out of a comparison, out of a handler that interrupts anything.
static jmp_buf back;
static sigjmp_buf out;
static volatile sig_atomic_t armed;

static int jumper(const void *, const void *) { longjmp(back, 7); }

static void alarmed(int)
{
    if (armed) {
        armed = 0;
        siglongjmp(out, 1);
    }
}

static void jumps()
{
    volatile long sum = 0;
    for (volatile int i = 0; i < 20000; i++) {
        int numbers[] = {2, 1};
        int came = setjmp(back);
        if (!came)
            std::qsort(numbers, 2, sizeof(int), jumper);
        sum += came;
    }
    say("jumps.sum", sum);
    struct sigaction action = {};
    action.sa_handler = alarmed;
    sigaction(SIGALRM, &action, nullptr);
    volatile long handled = 0, unsound = 0;
    struct itimerval storm = {{0, 300}, {0, 300}};
    setitimer(ITIMER_REAL, &storm, nullptr);
    while (handled < 300) {
        if (sigsetjmp(out, 1)) {
            handled++;
            continue;
        }
        armed = 1;
        for (;;) {
            // Pure functions: jumping out of them leaves nothing broken behind.
            unsound += strlen("seven!!") != 7;
            unsound += labs(-3) != 3;
            unsound += strcmp("a", "a") != 0;
        }
    }
    storm = {};
    setitimer(ITIMER_REAL, &storm, nullptr);
    say("jumps.handled", handled);
    say("jumps.unsound", unsound);
}

// Coroutines on stacks of their own, suspended within library calls.
static ucontext_t scheduler, fibers[3];
static long hops;

static void fiber(int number)
{
    for (;;) {
        int numbers[] = {3, 1, 2};
        std::qsort(numbers, 3, sizeof(int), ascending);
        hops += numbers[0];
        swapcontext(&fibers[number], &scheduler);
    }
}

static void coroutines()
{
    static char stacks[3][16384];
    for (int i = 0; i < 3; i++) {
        getcontext(&fibers[i]);
        fibers[i].uc_stack.ss_sp = stacks[i];
        fibers[i].uc_stack.ss_size = sizeof stacks[i];
        fibers[i].uc_link = &scheduler;
        makecontext(&fibers[i], reinterpret_cast<void (*)()>(fiber), 1, i);
    }
    for (int i = 0; i < 3000; i++)
        swapcontext(&scheduler, &fibers[i % 3]);
    say("coroutines.hops", hops);
}

// Children: vfork and exec, fork within a callback.
static int forks(const void *a, const void *b)
{
    pid_t child = fork();
    if (!child) {
        // Goes back through the callback's caller before it ends.
        return -1000;
    }
    int status;
    waitpid(child, &status, 0);
    say("children.status", WEXITSTATUS(status));
    return ascending(a, b);
}

static void children()
{
    for (int i = 0; i < 5; i++) {
        pid_t child = vfork();
        if (!child) {
            execl("/bin/true", "true", static_cast<char *>(nullptr));
            _exit(9);
        }
        int status;
        waitpid(child, &status, 0);
        say("children.vforked", WEXITSTATUS(status));
    }
    pid_t parent = getpid();
    int numbers[] = {1, 2};
    std::qsort(numbers, 2, sizeof(int), forks);
    if (getpid() != parent)
        _exit(33);
}

// What a program sees of its own stack.
__attribute__((noinline)) static int looks(const void *a, const void *b)
{
    static int said;
    void *frames[64];
    int depth = backtrace(frames, 64);
    if (!said++) {
        say("backtrace.depth", depth);
        Dl_info info;
        say("backtrace.main", dladdr(frames[depth - 1], &info) && info.dli_fname != nullptr);
    }
    return ascending(a, b);
}

// Small stacks, deep recursion through the library.
static int deep_left;

static int deeper(const void *a, const void *b)
{
    if (deep_left-- > 0) {
        int numbers[] = {2, 1};
        std::qsort(numbers, 2, sizeof(int), deeper);
    }
    return ascending(a, b);
}

static void *small(void *)
{
    deep_left = 12;
    int numbers[] = {2, 1};
    std::qsort(numbers, 2, sizeof(int), deeper);
    char text[32];
    return reinterpret_cast<void *>(strlen(strcpy(text, "sixteen KiB")));
}

static void stacks()
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 16384);
    long sum = 0;
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        void *result;
        if (pthread_create(&thread, &attributes, small, nullptr))
            fail("pthread_create");
        pthread_join(thread, &result);
        sum += reinterpret_cast<long>(result);
    }
    say("stacks.sum", sum);
    deep_left = 2000;
    int numbers[] = {2, 1};
    std::qsort(numbers, 2, sizeof(int), deeper);
    say("stacks.deep", deep_left);
}

static void threads()
{
    std::vector<std::thread> crowd;
    std::vector<long> sums(64);
    for (int i = 0; i < 64; i++)
        crowd.emplace_back([i, &sums] {
            for (int n = 0; n < 500; n++) {
                std::string text(static_cast<size_t>(n % 40), 'x');
                sums[static_cast<size_t>(i)] += static_cast<long>(strlen(text.c_str())) + getuid();
            }
        });
    long sum = 0;
    for (int i = 0; i < 64; i++) {
        crowd[static_cast<size_t>(i)].join();
        sum += sums[static_cast<size_t>(i)];
    }
    say("threads.sum", sum);
}

int main()
{
    std::printf("%.1f %.2f %.3f %.1f %.2f %.3f %.1f %.2f %.3f %.4f\n", 1.0, 2.5, 3.25, 4.0, 5.5, 6.125, 7.0, 8.5, 9.25, 10.0625);
    std::fflush(stdout);
    int fd = open("/dev/null", O_RDONLY);
    say("fd", fd);
    close(fd);
    exceptions();
    cancellation();
    jumps();
    coroutines();
    children();
    int numbers[] = {2, 1};
    std::qsort(numbers, 2, sizeof(int), looks);
    stacks();
    threads();
    return 7;
}
