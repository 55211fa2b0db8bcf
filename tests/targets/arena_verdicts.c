// Holds memory for one known reason, or for several: arena_verdicts REASON[,REASON...] [REMEDY[,REMEDY...]]
//
// Remedies are `unleak` (the leak releases its blocks), `unpin` (so does the fragmentation) and `trim` (calls
// malloc_trim(0) at the end). Prints for each reason how many bytes there are of it, `anonymous=N` at the end,
// and what trimming has returned. The lines to blame are marked. All blocks but those of threads are in glibc's
// main arena, and who comes later finds no hole that its blocks fit into.
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include "say.h"

enum {
    MIB = 1 << 20,
    PAGE = 4096,
    HEAP = 64 * MIB,    // of a thread's arena, at a multiple of this
    CHURNED = 500,      // cached by its thread, so that it never takes from a hole
    LEAKED = 8000,      // larger than a hole of `fragmentation`
    LEAKS = 8000,       // 61 MiB
    SLICES = 100,       // of ten milliseconds each
    BLOCK = 8176,       // two pages with its header
    RETAINED = 14000,   // 109 MiB
    FILLED = 11000,     // 86 MiB: a heap, and less than the raised threshold in another
    TOP = 7000,         // 55 MiB, less than the raised threshold
    EACH = 1000,        // 8 MiB by each thread
    PIN = 48,           // a chunk of 64 bytes
    HOLE = 4096 - 64,   // the rest of a page
    HOLES = 16384,      // 64 MiB
    UNTOUCHED = 100000, // below the mmap threshold
    UNUSED = 600,       // 57 MiB
    MAPPED = 16,        // of 4 MiB each
    THREADS = 16,
    RAISER = 31 * MIB,  // released once, it raises the threshold for trimming to 62 MiB
};

static const char *remedies = "";
static void *kept;

static void *touched(void *block, size_t bytes)
{
    return memset(block, 'x', bytes);
}

// Resident anonymous bytes, by the page tables.
static long anonymous(void)
{
    char text[2048] = "";
    int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
        fail("smaps_rollup");
    close(fd);
    const char *line = strstr(text, "\nAnonymous:");
    return line ? atol(line + strlen("\nAnonymous:")) * 1024 : -1;
}

// A healthy program's life for ten milliseconds.
static void live(void)
{
    for (int i = 0; i < 100; i++)
        free(touched(malloc(CHURNED), CHURNED));
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

// Leaves blocks behind for a second, beside others that come and go.
static void leak(void)
{
    for (int i = 0; i < LEAKS; i++) {
        kept = touched(malloc(LEAKED), LEAKED); // LEAK leak
        free(touched(malloc(LEAKED), LEAKED));
        if (strstr(remedies, "unleak"))
            free(kept);
        if (i % (LEAKS / SLICES) == 0)
            live();
    }
    say("leak.bytes", (long)LEAKED * LEAKS);
    say("leak.blocks", LEAKS);
}

static void *taken[RETAINED], *last;

static void take(int blocks)
{
    for (int i = 0; i < blocks; i++)
        taken[i] = touched(malloc(BLOCK), BLOCK); // FAULT heap
}

static void give_back(int blocks, int but)
{
    for (int i = blocks - 1; i >= 0; i--)
        if (i != but)
            free(taken[i]);
}

static void prepare(void)
{
    take(RETAINED);
    last = touched(malloc(PIN), PIN); // FAULT retention
}

// Releases all that was taken but the small block at its end, below which `free` gives nothing back.
static void retain(void)
{
    give_back(RETAINED, -1);
    say("retention.bytes", (BLOCK + 16L) * RETAINED);
    say("retention.pin", (long)(uintptr_t)last);
}

// Releases everything but a small block in each page, so that no page is free.
static void fragment(void)
{
    static void *blocks[HOLES], *pins[HOLES];
    for (int i = 0; i < HOLES; i++) {
        blocks[i] = touched(malloc(HOLE - 8), HOLE - 8);
        pins[i] = touched(malloc(PIN), PIN); // FAULT fragmentation
    }
    for (int i = 0; i < HOLES; i++)
        free(blocks[i]);
    for (int i = 0; i < HOLES && strstr(remedies, "unpin"); i++)
        free(pins[i]);
    say("fragmentation.bytes", (long)HOLE * HOLES);
    say("fragmentation.pins", HOLES);
    say("fragmentation.pin_bytes", (long)PIN * HOLES);
}

// Asks for what it never uses, in the heap and with mappings of its own.
static void leave_untouched(void)
{
    long before = anonymous(), bytes = 0;
    for (int i = 0; i < UNUSED; i++, bytes += UNTOUCHED)
        kept = malloc(UNTOUCHED); // FAULT untouched_heap
    for (int i = 0; i < MAPPED; i++, bytes += 4 * MIB)
        kept = malloc(4 * MIB); // FAULT untouched_mapped
    say("untouched_heap.blocks", UNUSED);
    say("untouched_mapped.blocks", MAPPED);
    say("untouched.bytes", bytes - (anonymous() - before));
}

// A top that grew, was released, and is too small to be trimmed since a large block was released once.
static void keep_top(void)
{
    free(malloc(RAISER));
    take(TOP);
    give_back(TOP, -1);
    say("top.bytes", (BLOCK + 16) * TOP);
}

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t arenas[THREADS];
static int working;

static void done(void)
{
    working--;
    pthread_mutex_unlock(&turn);
    pause(); // until the process ends
}

static void start(void *(*thread)(void *), int threads)
{
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16 * PAGE);
    free(malloc(RAISER));
    working = threads;
    for (intptr_t i = 0; i < threads; i++) {
        pthread_t id;
        if (pthread_create(&id, &small, thread, (void *)i))
            fail("pthread_create");
    }
    for (int left = 1; left; live()) {
        pthread_mutex_lock(&turn);
        left = working;
        pthread_mutex_unlock(&turn);
    }
}

// Releases all but the first block of the arena's second heap, which could be unmapped without it.
static void *fill_two_heaps(void *argument)
{
    pthread_mutex_lock(&turn);
    take(FILLED);
    int pin = 0;
    while ((uintptr_t)taken[pin] / HEAP == (uintptr_t)taken[0] / HEAP)
        pin++;
    give_back(FILLED, pin);
    say("heap.pin", (long)(uintptr_t)taken[pin]);
    say("heap.bytes", (BLOCK + 16L) * (FILLED - 1 - pin));
    done();
    return argument;
}

static void pin_heap(void)
{
    start(fill_two_heaps, 1);
}

static void *work(void *argument)
{
    pthread_mutex_lock(&turn);
    take(EACH);
    int is_main = !(((size_t *)taken[0])[-1] & 4);
    arenas[(intptr_t)argument] = is_main ? 0 : (uintptr_t)taken[0] / HEAP;
    give_back(EACH, -1);
    done();
    return NULL;
}

// Threads that work one after another, and keep an arena each.
static void crowd(void)
{
    start(work, THREADS);
    int distinct = 0, is_main = 0;
    for (int i = 0; i < THREADS; i++) {
        int seen = 0;
        for (int j = 0; j < i; j++)
            seen |= arenas[j] == arenas[i];
        distinct += !seen;
        is_main |= !arenas[i];
    }
    say("threads.arenas", distinct + !is_main);
    say("threads.bytes", (BLOCK + 16L) * EACH * distinct);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*hold)(void);
    } reasons[] = {
        {"untouched", leave_untouched}, {"retention", prepare}, {"fragmentation", fragment},
        {"leak", leak},                 {"retention", retain},  {"top", keep_top},
        {"threads", crowd},             {"heap", pin_heap},
    };
    remedies = argc > 2 ? argv[2] : "";
    free(touched(malloc(CHURNED), CHURNED));
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (strstr(argv[1], reasons[i].name))
            reasons[i].hold();
    for (int i = 0; i < SLICES / 2; i++)
        live();
    long before = anonymous();
    say("anonymous", before);
    if (strstr(remedies, "trim"))
        malloc_trim(0);
    say("returned", before - anonymous());
    return 0;
}
