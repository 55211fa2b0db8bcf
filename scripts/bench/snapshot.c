/* A heap to be looked at: snapshot BLOCKS ARENAS SECONDS LARGEST
 *
 * BLOCKS living blocks of 16 to LARGEST bytes in ARENAS arenas, each of a thread of its own that waits afterwards; free ones lie
 * between them. Then the main thread reads the clock again and again: its longest gap is what the program
 * sees of a stop.
 */
#include "wl.h"
#include <malloc.h>
#include <pthread.h>

enum { FREED_OF = 17 };

static pthread_barrier_t filled;
static long blocks_each, largest;

static void *fill(void *seed) {
    uint64_t random = (uint64_t)seed + 1;
    long all = blocks_each + blocks_each / (FREED_OF - 1);
    void **blocks = malloc((size_t)all * sizeof *blocks);
    for (long i = 0; i < all; i++) {
        blocks[i] = malloc(16 + (wl_rng(&random) >> 20) % (uint64_t)(largest - 15));
        if (!blocks[i]) _exit(1);
        *(char *)blocks[i] = 1;
    }
    for (long i = 0; i < all; i += FREED_OF) free(blocks[i]);
    pthread_barrier_wait(&filled);
    pthread_barrier_wait(&filled);
    return wl_keep(blocks);
}

int main(int argc, char **argv) {
    long blocks = wl_arg(argc, argv, 1, 1000000), arenas = wl_arg(argc, argv, 2, 64), seconds = wl_arg(argc, argv, 3, 5);
    pthread_t threads[1024];
    if (arenas < 1 || arenas > 1024) return 2;
    blocks_each = blocks / arenas;
    largest = wl_arg(argc, argv, 4, 512);
    mallopt(M_ARENA_MAX, (int)arenas + 1);
    pthread_barrier_init(&filled, NULL, (unsigned)arenas + 1);
    for (long i = 0; i < arenas; i++)
        if (pthread_create(&threads[i], NULL, fill, (void *)i)) return 1;
    pthread_barrier_wait(&filled);
    puts("filled");
    fflush(stdout);
    uint64_t begin = wl_now(), last = begin, longest = 0, reads = 0;
    while (last - begin < (uint64_t)seconds * 1000000000ull) {
        uint64_t now = wl_now();
        if (now - last > longest) longest = now - last;
        last = now;
        reads++;
    }
    char more[64];
    snprintf(more, sizeof more, "longest_gap_ns=%llu", (unsigned long long)longest);
    wl_report("snapshot", last - begin, reads, more);
    pthread_barrier_wait(&filled);
    for (long i = 0; i < arenas; i++) pthread_join(threads[i], NULL);
    return 0;
}
