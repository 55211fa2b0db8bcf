// Works with whatever allocator it is given, and has memory that is not the allocator's beside that.
//
// arena_work: four threads acquire and release 60,000 blocks each, most of them small, and keep a part of
// them. The threads are there to the end: their stacks are, too.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "say.h"

enum { THREADS = 4, SLOTS = 3000, STEPS = 60000 };
enum { MAPPED = 8 << 20, RAW = 3 << 20, CODE = 1 << 20, SHARED = 2 << 20, STACK = 256 << 10 };

static long live_blocks, live_bytes;
static pthread_barrier_t done;
static char zeroed[1 << 20];

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static size_t size_of_next(uint32_t *state)
{
    uint32_t kind = next(state) % 1000;
    if (kind < 900)
        return 16 + next(state) % 500;
    if (kind < 998)
        return 500 + next(state) % 8000;
    return (200 << 10) + next(state) % (400 << 10);
}

static void touch(char *from, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += 4096)
        *(volatile char *)(from + at) = 1;
}

static void *work(void *argument)
{
    static _Thread_local struct { char *block; size_t bytes; } slots[SLOTS];
    uint32_t state = (uint32_t)(uintptr_t)argument;
    char deep[STACK];
    touch(deep, sizeof deep);
    for (int step = 0; step < STEPS; step++) {
        uint32_t at = next(&state) % SLOTS;
        if (slots[at].block) {
            free(slots[at].block);
            slots[at].block = NULL;
        } else {
            slots[at].bytes = size_of_next(&state);
            slots[at].block = malloc(slots[at].bytes); // LEAK work
            if (!slots[at].block)
                fail("malloc");
            touch(slots[at].block, slots[at].bytes);
        }
    }
    long blocks = 0, bytes = 0;
    for (int at = 0; at < SLOTS; at++)
        if (slots[at].block) {
            blocks++;
            bytes += (long)slots[at].bytes;
        }
    __atomic_fetch_add(&live_blocks, blocks, __ATOMIC_RELAXED);
    __atomic_fetch_add(&live_bytes, bytes, __ATOMIC_RELAXED);
    pthread_barrier_wait(&done);
    pause();
    return NULL;
}

static char *map(size_t bytes, int protection, int flags)
{
    char *mapped = mmap(NULL, bytes, protection, flags | MAP_ANONYMOUS, -1, 0); // FAULT mapped
    if (mapped == MAP_FAILED)
        fail("mmap");
    touch(mapped, bytes);
    return mapped;
}

int main(void)
{
    int writable = PROT_READ | PROT_WRITE;
    map(MAPPED, writable, MAP_PRIVATE);
    map(CODE, writable | PROT_EXEC, MAP_PRIVATE);
    map(SHARED, writable, MAP_SHARED);
    char *raw = (char *)syscall(SYS_mmap, NULL, (size_t)RAW, writable, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L); // FAULT raw
    if (raw == MAP_FAILED)
        fail("syscall");
    touch(raw, RAW);
    touch(zeroed, sizeof zeroed);
    pthread_barrier_init(&done, NULL, THREADS + 1);
    for (uintptr_t thread = 1; thread <= THREADS; thread++) {
        pthread_t id;
        if (pthread_create(&id, NULL, work, (void *)thread))
            fail("pthread_create");
    }
    pthread_barrier_wait(&done);
    say("live.blocks", live_blocks);
    say("live.bytes", live_bytes);
    say("threads", THREADS);
    say("direct.bytes", MAPPED + RAW);
    say("raw.bytes", RAW);
    say("zeroed.bytes", sizeof zeroed);
    say("code.bytes", CODE);
    say("stack.bytes", THREADS * STACK);
    _exit(0);
}
