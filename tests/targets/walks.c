// Makes tapped calls while something else goes on that a walk of the stack must survive: walks MODE [PLUGIN OTHER].
//
//   interrupted    a timer's handler makes tapped calls in the middle of others at changing depth
//   jumped         a timer's handler leaves them by siglongjmp
//   small_threads  threads with the least stack there is
//   small_handler  a handler on the least alternate stack there is, a page that ends below it
//   threads        threads at changing depth
//   loading        the same while another thread loads and unloads plugins
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include "say.h"

enum { SIGNALS = 1500, INTERVAL_US = 300, DEPTHS = 60 };

static atomic_int handled, stop;

// The same sequence in each run.
static unsigned next(unsigned *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

static __attribute__((noinline)) void heap_calls(unsigned size)
{
    char *block = malloc(size);
    block = realloc(block, size + 40);
    free(block);
}

static __attribute__((noinline)) void descriptor_calls(unsigned unused)
{
    (void)unused;
    close(dup(STDERR_FILENO));
}

typedef void calls(unsigned);

// Goes down to `depth`, makes the calls there and, once in a while, on the way back.
static __attribute__((noinline)) int descend(int depth, unsigned number, calls *make)
{
    volatile char frame[1 + (depth & 3) * 24]; // frames of several sizes, found by rbp
    frame[0] = 1;
    if (depth == 0) {
        make(1 + number % 200);
        return 1;
    }
    int below = descend(depth - 1, number, make);
    if ((number + depth) % 17 == 0)
        make(5);
    return below + frame[0];
}

static void start_timer(int interval_us)
{
    struct itimerval timer = {{0, interval_us}, {0, interval_us}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void handle(void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(SIGALRM, &action, NULL);
}

static void on_timer(int signal)
{
    int saved = errno;
    unsigned state = (unsigned)(handled + signal);
    descend((int)(next(&state) % 10), 3, descriptor_calls);
    handled++;
    errno = saved;
}

static void interrupted(char **unused)
{
    (void)unused;
    unsigned state = 1;
    handle(on_timer, SA_RESTART);
    start_timer(INTERVAL_US);
    while (handled < SIGNALS) {
        unsigned number = next(&state);
        descend((int)(number % DEPTHS), number, number & 64 ? heap_calls : descriptor_calls);
    }
    start_timer(0);
}

static sigjmp_buf back;

static void on_timer_leave(int signal)
{
    (void)signal;
    handled++;
    siglongjmp(back, 1);
}

// Only calls that POSIX lets a handler leave. Descriptors may stay open by it.
static void jumped(char **unused)
{
    (void)unused;
    static unsigned state = 1; // not in a register that the jump restores
    sigset_t timer;
    sigemptyset(&timer);
    sigaddset(&timer, SIGALRM);
    handle(on_timer_leave, SA_RESTART);
    sigprocmask(SIG_BLOCK, &timer, NULL);
    start_timer(INTERVAL_US);
    while (handled < SIGNALS)
        if (sigsetjmp(back, 1) == 0) {
            sigprocmask(SIG_UNBLOCK, &timer, NULL);
            for (;;) {
                unsigned number = next(&state);
                descend((int)(number % DEPTHS), number, descriptor_calls);
            }
        } else {
            close_range(3, ~0U, 0);
        }
    start_timer(0);
}

static void *in_small_thread(void *argument)
{
    unsigned number = (unsigned)(size_t)argument;
    descend(4, number, heap_calls);
    descend(4, number, descriptor_calls);
    return argument;
}

static void small_threads(char **unused)
{
    (void)unused;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    if (pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN)))
        fail("pthread_attr_setstacksize");
    for (size_t i = 0; i < 100; i++) {
        pthread_t id;
        if (pthread_create(&id, &attributes, in_small_thread, (void *)i) || pthread_join(id, NULL))
            fail("pthread_create");
    }
}

static void on_small_stack(int signal)
{
    (void)signal;
    descriptor_calls(0);
    heap_calls(70);
    handled++;
}

static void small_handler(char **unused)
{
    (void)unused;
    // What the kernel's own frame takes, and what the classical 2048 bytes left to the handler.
    size_t size = getauxval(AT_MINSIGSTKSZ) + 1024;
    size_t room = (size + 4095) & ~(size_t)4095;
    char *pages = mmap(NULL, room + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages, 4096, PROT_NONE))
        fail("mmap");
    stack_t stack = {.ss_sp = pages + 4096, .ss_size = size};
    if (sigaltstack(&stack, NULL))
        fail("sigaltstack");
    handle(on_small_stack, SA_ONSTACK);
    for (int i = 0; i < 100; i++)
        raise(SIGALRM);
    if (handled != 100)
        fail("a signal was lost");
}

static long rounds; // 0: until `stop`

static void *at_changing_depth(void *argument)
{
    unsigned state = (unsigned)(size_t)argument;
    for (long i = 0; rounds ? i < rounds : !stop; i++) {
        unsigned number = next(&state);
        descend((int)(number % DEPTHS), number, heap_calls);
    }
    return NULL;
}

static void start(pthread_t *ids, int count)
{
    for (int i = 0; i < count; i++)
        if (pthread_create(&ids[i], NULL, at_changing_depth, (void *)(size_t)i))
            fail("pthread_create");
}

static void threads(char **unused)
{
    (void)unused;
    pthread_t ids[8];
    rounds = 4000;
    start(ids, 8);
    for (int i = 0; i < 8; i++)
        pthread_join(ids[i], NULL);
}

static void loading(char **plugins)
{
    pthread_t ids[2];
    start(ids, 2);
    for (int i = 0; i < 300; i++) {
        void *plugin = dlopen(plugins[i & 1], RTLD_NOW);
        void (*entry)(int) = plugin ? (void (*)(int))dlsym(plugin, "plugin_entry") : NULL;
        if (!entry)
            fail("dlopen");
        entry(3);
        dlclose(plugin);
    }
    stop = 1;
    pthread_join(ids[0], NULL);
    pthread_join(ids[1], NULL);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(char **arguments);
        int arguments;
    } modes[] = {
        {"interrupted", interrupted, 0}, {"jumped", jumped, 0}, {"small_threads", small_threads, 0},
        {"small_handler", small_handler, 0}, {"threads", threads, 0}, {"loading", loading, 2},
    };
    for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(argv[1], modes[i].name) && argc == 2 + modes[i].arguments) {
            modes[i].run(argv + 2);
            say_text("finished", argv[1]);
            return 0;
        }
    fail("usage");
}
