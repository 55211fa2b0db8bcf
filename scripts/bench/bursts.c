/* Bursts of malloc/free pairs with pauses between them: each burst fits in the tool's ring, and the
 * pause lets a reader drain it, so what is timed is the hook alone.
 * usage: bursts [bursts] [pairs in a burst]   (2 events per pair; the first 16 bursts warm up) */
#include "wl.h"
#include <time.h>

enum { WARM = 16 };

int main(int argc, char **argv) {
    long bursts = wl_arg(argc, argv, 1, 100);
    long pairs = wl_arg(argc, argv, 2, 2000);
    const struct timespec pause = {0, 4000000};
    uint64_t seed = 88172645463325252ull, total = 0;
    for (long b = 0; b < bursts + WARM; b++) {
        nanosleep(&pause, NULL);
        uint64_t t0 = wl_now();
        for (long i = 0; i < pairs; i++) {
            char *p = wl_keep(malloc(wl_size(wl_rng(&seed))));
            p[0] = (char)i;
            free(p);
        }
        uint64_t t1 = wl_now();
        if (b >= WARM) total += t1 - t0;
    }
    wl_report("bursts", total, 2 * (uint64_t)bursts * (uint64_t)pairs, "");
    return 0;
}
