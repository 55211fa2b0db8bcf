// Leaks in every place from which C code can be called: leak. Each place says what it has leaked, as
// leaked.PLACE.blocks and leaked.PLACE.bytes; its line is marked LEAK PLACE, and lines through which the
// call came are marked VIA PLACE.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "say.h"

#define PLACE static __attribute__((noinline)) void

static void *volatile kept;

PLACE plain_leaks(int blocks, int bytes)
{
    for (int i = 0; i < blocks; i++) {
        free(malloc(11)); // no leak: same function, another line
        kept = malloc(bytes); // LEAK plain
    }
    said("plain", blocks, blocks * bytes);
}

static inline __attribute__((always_inline)) void innermost_leaks(int bytes)
{
    kept = calloc(1, bytes); // LEAK inlined
    said("inlined", 1, bytes);
}

static inline __attribute__((always_inline)) void between(int bytes)
{
    innermost_leaks(bytes + 1); // VIA inlined
    kept = NULL;
}

PLACE around(int bytes)
{
    between(bytes); // VIA inlined
    free(malloc(12));
}

static int comparisons;

static int compare(const void *one, const void *other)
{
    kept = malloc(21); // LEAK qsort
    comparisons++;
    return *(const int *)one - *(const int *)other;
}

PLACE sort(void)
{
    int numbers[] = {5, 3, 9, 1, 7, 2, 8};
    qsort(numbers, 7, sizeof *numbers, compare); // VIA qsort
    said("qsort", comparisons, comparisons * 21);
}

PLACE constructor_leaks(int bytes)
{
    kept = malloc(bytes); // LEAK constructor
    said("constructor", 1, bytes);
}

static __attribute__((constructor)) void before_main(void)
{
    constructor_leaks(31); // VIA constructor
    kept = NULL;
}

PLACE atexit_leaks(void)
{
    kept = realloc(NULL, 41); // LEAK atexit
    said("atexit", 1, 41);
}

static void after_main(void)
{
    atexit_leaks(); // VIA atexit
    kept = NULL;
}

static __attribute__((noinline)) int descend(int levels)
{
    if (levels == 0) {
        kept = malloc(51); // LEAK recursion
        return 0;
    }
    int below = descend(levels - 1);
    kept = NULL;
    return below + 1;
}

static char *page;

static void on_fault(int signal)
{
    (void)signal;
    kept = malloc(61); // LEAK altstack
    mprotect(page, 4096, PROT_READ);
}

// Optimised, its first instruction is the one that faults: a byte before it is another function.
static __attribute__((noinline)) char touch(const volatile char *at)
{
    return *at; // VIA altstack
}

PLACE fault(void)
{
    stack_t stack = {.ss_sp = aligned_alloc(64, 65536), .ss_size = 65536};
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (sigaltstack(&stack, NULL) || sigaction(SIGSEGV, &action, NULL) || touch(page) != 0) // VIA altstack
        fail("fault");
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
    free(stack.ss_sp);
    said("altstack", 1, 61);
}

static ucontext_t main_context, coroutine_context;

PLACE coroutine_leaks(int round)
{
    kept = malloc(71); // LEAK coroutine
    said("coroutine", round, round * 71);
}

static void coroutine(void)
{
    for (int round = 1;; round++) {
        if (round == 3)
            coroutine_leaks(1); // VIA coroutine
        swapcontext(&coroutine_context, &main_context);
    }
}

PLACE alternate(void)
{
    getcontext(&coroutine_context);
    coroutine_context.uc_stack.ss_sp = malloc(65536);
    coroutine_context.uc_stack.ss_size = 65536;
    makecontext(&coroutine_context, coroutine, 0);
    for (int round = 0; round < 4; round++) {
        free(malloc(13));
        swapcontext(&main_context, &coroutine_context);
    }
    free(coroutine_context.uc_stack.ss_sp);
}

PLACE thread_leaks(int bytes)
{
    kept = malloc(bytes); // LEAK thread
    said("thread", 1, bytes);
}

static void *thread(void *argument)
{
    thread_leaks(81); // VIA thread
    return argument;
}

int main(void)
{
    atexit(after_main);
    plain_leaks(7, 91); // VIA plain
    around(100); // VIA inlined
    sort(); // VIA qsort
    if (descend(1000) != 1000)
        fail("descend");
    said("recursion", 1, 51);
    fault(); // VIA altstack
    alternate();
    pthread_t id;
    if (pthread_create(&id, NULL, thread, NULL) || pthread_join(id, NULL))
        fail("pthread_create");
    return 0;
}
