// Counts its own heap calls: counts_heap THREADS ITERATIONS.
//
// All threads are alive together (a barrier at both ends), so what the run-time allocates for them
// depends on their number only; blocks wander from thread to thread and are freed by another one.
// Built with -fno-builtin, so the compiler drops no call.
#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include "say.h"

enum { MOST_THREADS = 64, KEPT_BYTES = 24 };

struct calls {
    long malloc, calloc, realloc, reallocarray, free, posix_memalign, aligned_alloc, memalign;
    long allocations, reallocations, frees, failed, requested_bytes;
};

static struct calls counted[MOST_THREADS];
static _Atomic(void *) mailbox[MOST_THREADS];
static void *kept[MOST_THREADS];
static int threads, iterations;
static volatile size_t too_much = SIZE_MAX; // volatile, so that the compiler does not know better
static pthread_barrier_t barrier;

static void *acquired(struct calls *calls, void *block, size_t bytes)
{
    if (!block)
        fail("an allocation that should work");
    calls->allocations++;
    calls->requested_bytes += (long)bytes;
    memset(block, 0x5a, bytes);
    return block;
}

static void refused(struct calls *calls, void *block)
{
    if (block)
        fail("an allocation that should not work");
    calls->failed++;
}

static void release(struct calls *calls, void *block)
{
    calls->free++;
    calls->frees += block != NULL;
    free(block);
}

static void work(struct calls *calls, int me, size_t size)
{
    calls->malloc += 2;
    char *block = acquired(calls, malloc(size), size);
    refused(calls, malloc(too_much / 2));

    calls->calloc += 2;
    char *zeroed = acquired(calls, calloc(3, size), 3 * size);
    refused(calls, calloc(too_much, 2));

    calls->realloc += 4;
    block = realloc(block, 2 * size);
    calls->reallocations++;
    calls->requested_bytes += 2 * (long)size;
    refused(calls, realloc(block, too_much / 2));
    char *fresh = acquired(calls, realloc(NULL, size), size);
    if (realloc(fresh, 0))
        fail("realloc(p, 0) returned a block");
    calls->frees++;

    calls->reallocarray += 3;
    calls->realloc += 2; // glibc's reallocarray calls realloc, unless the product overflows
    char *array = acquired(calls, reallocarray(NULL, 5, size), 5 * size);
    refused(calls, reallocarray(array, too_much, 2));
    array = reallocarray(array, 50, size);
    calls->reallocations++;
    calls->requested_bytes += 50 * (long)size;

    calls->posix_memalign += 2;
    void *aligned = NULL;
    if (posix_memalign(&aligned, 256, size))
        fail("posix_memalign");
    acquired(calls, aligned, size);
    void *untouched = NULL;
    if (posix_memalign(&untouched, 3, size) == 0)
        fail("posix_memalign took an alignment of 3");
    refused(calls, untouched);

    calls->aligned_alloc++;
    void *line = acquired(calls, aligned_alloc(64, 64 * size), 64 * size);
    calls->memalign++;
    void *page = acquired(calls, memalign(4096, size), size);

    release(calls, zeroed);
    release(calls, array);
    release(calls, aligned);
    release(calls, line);
    release(calls, page);
    release(calls, NULL);

    // My block goes to the next thread; what lies there or came to me is released by me.
    release(calls, atomic_exchange(&mailbox[(me + 1) % threads], block));
    release(calls, atomic_exchange(&mailbox[me], NULL));
}

static void *thread(void *argument)
{
    int me = (int)(intptr_t)argument;
    struct calls *calls = &counted[me];
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < iterations; i++)
        work(calls, me, 8 + (size_t)((i * 37 + me) % 900));
    if (iterations) {
        calls->malloc++;
        kept[me] = acquired(calls, malloc(KEPT_BYTES), KEPT_BYTES);
    }
    pthread_barrier_wait(&barrier);
    return NULL;
}

int main(int argc, char **argv)
{
    threads = atoi(argv[1]);
    iterations = atoi(argv[2]);
    if (argc != 3 || threads > MOST_THREADS)
        fail("usage");
    pthread_t id[MOST_THREADS];
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&id[i], NULL, thread, (void *)(intptr_t)i))
            fail("pthread_create");
    for (int i = 0; i < threads; i++)
        pthread_join(id[i], NULL);

    struct calls sum = {0};
    for (int i = 0; i < threads; i++) {
        if (iterations)
            release(&counted[i], atomic_exchange(&mailbox[i], NULL));
        for (size_t field = 0; field < sizeof sum / sizeof(long); field++)
            ((long *)&sum)[field] += ((long *)&counted[i])[field];
    }
    say("call.malloc", sum.malloc);
    say("call.calloc", sum.calloc);
    say("call.realloc", sum.realloc);
    say("call.reallocarray", sum.reallocarray);
    say("call.free", sum.free);
    say("call.posix_memalign", sum.posix_memalign);
    say("call.aligned_alloc", sum.aligned_alloc);
    say("call.memalign", sum.memalign);
    say("heap.allocations", sum.allocations);
    say("heap.reallocations", sum.reallocations);
    say("heap.frees", sum.frees);
    say("heap.failed_allocations", sum.failed);
    say("kept.blocks", iterations ? threads : 0);
    say("kept.bytes", iterations ? (long)threads * KEPT_BYTES : 0);
    return 0;
}
