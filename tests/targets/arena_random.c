// Random work for the allocator in many threads, then what glibc itself says of its arenas: nothing
// is allocated or released after that.
//
//     arena_random THREADS OPERATIONS REPORT [stop]
//
// Each thread makes OPERATIONS calls on blocks of its own and on some that all share; a quarter as
// many threads besides do the same and end. The REPORT file gets malloc_stats and then malloc_info.
// With `stop` the program stops itself instead of ending.
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include "say.h"

enum { SLOTS = 600, SHARED = 256 };

static void *_Atomic shared[SHARED];
static long operations;
static pthread_barrier_t worked;

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// Mostly small, some up to a few pages, few large enough for a mapping of their own.
static size_t size(uint64_t *random)
{
    static const size_t limits[] = {24, 64, 64, 200, 200, 200, 1100, 1100, 5000, 60000};
    uint64_t which = next(random) % 1000;
    size_t limit = which == 0 ? 400000 : limits[which % 10];
    return next(random) % limit;
}

static void *allocated(uint64_t *random)
{
    size_t bytes = size(random);
    void *block;
    switch (next(random) % 8) {
    case 0: block = calloc(1 + bytes / 16, 16); break;
    case 1: block = memalign((size_t)16 << next(random) % 9, bytes); break;
    default: block = malloc(bytes);
    }
    if (block == NULL)
        fail("an allocation");
    memset(block, (int)bytes, bytes < 64 ? bytes : 64);
    return block;
}

static void work(uint64_t random)
{
    void *own[SLOTS] = {0};
    for (long i = 0; i < operations; i++) {
        void **slot = &own[next(&random) % SLOTS];
        uint64_t what = next(&random) % 16;
        if (*slot == NULL) {
            *slot = allocated(&random);
        } else if (what < 2) {
            *slot = realloc(*slot, 1 + size(&random));
            if (*slot == NULL)
                fail("realloc");
        } else if (what < 4) {
            *slot = atomic_exchange(&shared[next(&random) % SHARED], *slot);
        } else {
            free(*slot);
            *slot = NULL;
        }
    }
    // What is left is nobody's: two thirds of it are released, so that there is a bit of everything.
    for (int i = 0; i < SLOTS; i++)
        if (i % 3)
            free(own[i]);
}

static void *stay(void *seed)
{
    work((uintptr_t)seed);
    pthread_barrier_wait(&worked);
    while (pause() < 0)
        ;
    return NULL;
}

static void *leave(void *seed)
{
    work((uintptr_t)seed);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        fail("usage");
    int threads = atoi(argv[1]);
    operations = atol(argv[2]);
    static char buffer[1 << 20];
    FILE *report = fopen(argv[3], "w");
    if (report == NULL || setvbuf(report, buffer, _IOFBF, sizeof buffer) != 0)
        fail("the report's file");
    pthread_barrier_init(&worked, NULL, (unsigned)threads);
    for (uintptr_t i = 1; i < (uintptr_t)threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, stay, (void *)(i * 0x9e3779b97f4a7c15)) != 0)
            fail("pthread_create");
    }
    pthread_t leaving[64];
    int count = threads / 4;
    for (int i = 0; i < count; i++)
        if (pthread_create(&leaving[i], NULL, leave, (void *)((uintptr_t)(i + 1) * 0xd1342543de82ef95)) != 0)
            fail("pthread_create");
    for (int i = 0; i < count; i++)
        pthread_join(leaving[i], NULL);
    work(0x2545f4914f6cdd1d);
    // Larger than any that was released: these have mappings of their own.
    for (int i = 0; i < 4; i++)
        shared[i] = i % 2 ? malloc(((size_t)i << 20) + 12345) : memalign((size_t)1 << (12 + 4 * i), 3 << 20);
    pthread_barrier_wait(&worked);
    // Neither needs memory: the one stream has its buffer, the other none.
    if (dup2(fileno(report), STDERR_FILENO) < 0)
        fail("dup2");
    malloc_stats();
    malloc_info(0, report);
    fflush(report);
    if (argc > 4)
        raise(SIGSTOP);
    _exit(0);
}
