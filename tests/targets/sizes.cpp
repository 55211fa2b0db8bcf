// Counts its calls of the allocator by size and by threads alive: alone first, then as one of four.
//
// No size is in a class that the run-times allocate in by themselves, but for that of their pool for exceptions,
// of which no malloc is counted here. `operator new` calls malloc, the sized `operator delete` calls the other one,
// which calls free.
#include <atomic>
#include <cstdlib>
#include <new>
#include <pthread.h>
#include <stdlib.h>
#include "say.h"

enum { WORKERS = 3, ROUNDS = 200, CLASSES = 65 };
enum function { MALLOC, CALLOC, REALLOC, FREE, POSIX_MEMALIGN, NEW, DELETE, DELETE_SIZED, FUNCTIONS };
static const char *const names[FUNCTIONS] = {
    "malloc", "calloc", "realloc", "free", "posix_memalign", "_Znwm", "_ZdlPv", "_ZdlPvm",
};
static const size_t sizes[] = {24, 4096, 4097, 5000, 65536, 200000};

static std::atomic<long> counts[FUNCTIONS][CLASSES], nothing_freed;
// So that the compiler leaves no call out; each thread has its own, which it also frees.
static thread_local void *volatile sink;
static pthread_barrier_t barrier;

static void count(enum function function, size_t size)
{
    counts[function][size <= 1 ? 0 : 64 - __builtin_clzll(size - 1)]++;
}

static void freed(void *block, size_t size)
{
    sink = block;
    free(block);
    count(FREE, size);
}

static void round_of(size_t size)
{
    void *block = malloc(size);
    count(MALLOC, size);
    sink = block;
    block = realloc(block, 2 * size);
    count(REALLOC, 2 * size);
    freed(block, 2 * size);
    block = calloc(1, size);
    count(CALLOC, size);
    freed(block, size);
    if (posix_memalign(&block, 64, size))
        _exit(99);
    count(POSIX_MEMALIGN, size);
    freed(block, size);
    sink = block = ::operator new(size);
    count(NEW, size);
    count(MALLOC, size);
    ::operator delete(block, size);
    count(DELETE_SIZED, size);
    count(DELETE, size);
    count(FREE, size);
    block = nullptr;
    sink = block;
    free(sink);
    nothing_freed++;
}

static void work()
{
    for (size_t size : sizes)
        for (int round = 0; round < ROUNDS; round++)
            round_of(size);
}

static void *worker(void *)
{
    pthread_barrier_wait(&barrier);
    work();
    pthread_barrier_wait(&barrier);
    return nullptr;
}

// `calls.FUNCTION.BYTES.THREADS=COUNT`.
static void tell(int threads)
{
    char key[64];
    for (int function = 0; function < FUNCTIONS; function++)
        for (int bits = 0; bits < CLASSES; bits++)
            if (long calls = counts[function][bits].exchange(0)) {
                snprintf(key, sizeof key, "calls.%s.%llu.%d", names[function], 1ULL << bits, threads);
                say(key, calls);
            }
}

int main()
{
    work();
    tell(1);
    // Threads that end free null pointers, too.
    say("calls.free.0.1", nothing_freed);
    pthread_t threads[WORKERS];
    pthread_barrier_init(&barrier, nullptr, WORKERS + 1);
    for (pthread_t &thread : threads)
        if (pthread_create(&thread, nullptr, worker, nullptr))
            _exit(99);
    worker(nullptr);
    for (pthread_t thread : threads)
        pthread_join(thread, nullptr);
    tell(4);
}
