/* malloc/free pairs at the bottom of a deep stack that no tool can guess: each level is one of two
 * functions of its own, each of them calls the level below from four places.
 * usage: stacks [name=value]...
 *   pairs=N    pairs that are timed (1 event = one malloc and its free)
 *   frames=N   frames of each stack, the C library's three included; 7 to 43
 *   stacks=N   different stacks, taken in turn
 *   vary=N     innermost levels at which they differ, at most 32; 4^N stacks or fewer
 *   batch=N    pairs at one descent
 *   burst=N    pause before each N pairs, so that a reader can drain the ring; 0 = only once
 *   lose=0|1   the first visit to each stack leaks a block of 48 bytes
 * In the end the last path is taken once more and leaks 64 KiB: a stack to look at. */
#include "wl.h"
#include <time.h>

/* The others: leaf, descend, main, __libc_start_call_main, __libc_start_main, _start. */
enum { LEVELS = 37, OTHERS = 6, WARM = 16384 };
static unsigned char turn[LEVELS]; /* which of its four calls each level makes */
static long batch;
static size_t lost; /* bytes that the next visit to the leaf leaks */
static uint64_t rng = 88172645463325252ull;

/* 16..512 in 32 steps: of 497 sizes on these stacks, heaptrack 1.4's interpreter dies of std::bad_alloc. */
static size_t size(void) { return 16 + (size_t)(wl_rng(&rng) >> 20) % 32 * 16; }

static NOINLINE long leaf(long x) {
    for (long i = 0; i < batch; i++) {
        char *p = wl_keep(malloc(size()));
        p[0] = (char)i;
        free(p);
    }
    if (lost) *(char *)wl_keep(malloc(lost)) = 1;
    WL_NOTAIL();
    return x;
}

#define UNUSED __attribute__((unused)) /* the topmost function may be */
/* `x` and what is made of it live across the call: registers to save, and no call in tail position. */
#define FUNCTION(name, n, words, first, second)    \
    static NOINLINE UNUSED long name(long x) {     \
        volatile long frame[words] = {x};          \
        long y = x * words + n;                    \
        switch (turn[n]) {                         \
        case 0: x += first(y); break;              \
        case 1: x ^= second(y); break;             \
        case 2: x -= first(y + 1); break;          \
        default: x += 3 * second(y - 1); break;    \
        }                                          \
        return x + y + frame[0];                   \
    }
#define LEVEL(n, first, second)                         \
    FUNCTION(even##n, n, (1 + n % 3), first, second)    \
    FUNCTION(odd##n, n, (3 + n % 5), first, second)
#define ABOVE(n, below) LEVEL(n, even##below, odd##below)
LEVEL(0, leaf, leaf)
ABOVE(1, 0) ABOVE(2, 1) ABOVE(3, 2) ABOVE(4, 3) ABOVE(5, 4) ABOVE(6, 5) ABOVE(7, 6) ABOVE(8, 7) ABOVE(9, 8)
ABOVE(10, 9) ABOVE(11, 10) ABOVE(12, 11) ABOVE(13, 12) ABOVE(14, 13) ABOVE(15, 14) ABOVE(16, 15) ABOVE(17, 16)
ABOVE(18, 17) ABOVE(19, 18) ABOVE(20, 19) ABOVE(21, 20) ABOVE(22, 21) ABOVE(23, 22) ABOVE(24, 23) ABOVE(25, 24)
ABOVE(26, 25) ABOVE(27, 26) ABOVE(28, 27) ABOVE(29, 28) ABOVE(30, 29) ABOVE(31, 30) ABOVE(32, 31) ABOVE(33, 32)
ABOVE(34, 33) ABOVE(35, 34) ABOVE(36, 35)
static long (*const top[LEVELS])(long) = {
    even0,  even1,  even2,  even3,  even4,  even5,  even6,  even7,  even8,  even9,  even10, even11, even12,
    even13, even14, even15, even16, even17, even18, even19, even20, even21, even22, even23, even24, even25,
    even26, even27, even28, even29, even30, even31, even32, even33, even34, even35, even36};

/* Chooses path `number`: two bits a level, scattered one to one, so that different numbers are
 * different paths, and neighbouring numbers part at the outermost level that varies. */
static void choose(uint64_t number, int vary) {
    uint64_t mask = vary == 32 ? ~0ull : (1ull << 2 * vary) - 1;
    uint64_t bits = number & mask;
    for (int i = 0; i < 2; i++) {
        bits = bits * 0x9e3779b97f4a7c15ull & mask;
        bits ^= bits >> vary;
    }
    for (int level = 0; level < vary; level++) turn[level] = bits >> 2 * level & 3;
}

static NOINLINE void descend(int levels, long number, int vary) {
    choose((uint64_t)number, vary);
    volatile long sink = top[levels - 1](number);
    (void)sink;
}

static long option(int argc, char **argv, const char *name, long otherwise) {
    size_t length = strlen(name);
    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], name, length) && argv[i][length] == '=') return atol(argv[i] + length + 1);
    return otherwise;
}

int main(int argc, char **argv) {
    long pairs = option(argc, argv, "pairs", 1000000), stacks = option(argc, argv, "stacks", 64);
    long burst = option(argc, argv, "burst", 0), lose = option(argc, argv, "lose", 0);
    int levels = (int)option(argc, argv, "frames", 40) - OTHERS, vary = (int)option(argc, argv, "vary", 6);
    batch = option(argc, argv, "batch", 16);
    if (levels < 1 || levels > LEVELS || vary < 1 || vary > 32 || batch < 1 || stacks < 1) return 2;
    if (vary > levels) vary = levels;
    if (!burst) burst = pairs;

    /* Warms code and ring up; on other paths, if all paths are to be new. */
    for (long i = 0; i < WARM / batch; i++) descend(levels, stacks + i % 64, vary);

    const struct timespec pause = {0, 4000000};
    uint64_t total = 0;
    long done = 0, visits = 0;
    while (done < pairs) {
        nanosleep(&pause, NULL);
        uint64_t begin = wl_now();
        for (long end = done + burst; done < end; done += batch, visits++) {
            lost = lose && visits < stacks ? 48 : 0;
            descend(levels, visits % stacks, vary);
        }
        total += wl_now() - begin;
    }
    lost = 64 << 10;
    descend(levels, visits - 1, vary);

    char extra[64];
    snprintf(extra, sizeof extra, "end_ns=%llu", (unsigned long long)wl_now());
    wl_report("stacks", total, (uint64_t)done, extra);
    return 0;
}
