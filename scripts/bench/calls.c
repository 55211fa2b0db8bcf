/* N calls of malloc and N of free, 24 bytes, one thread, through the procedure linkage table.
 * usage: calls [pairs] [pause]   (2 events per pair; with a pause, 1,000 pairs at a time that fit a ring, then a rest) */
#include "wl.h"

int main(int argc, char **argv)
{
    long pairs = wl_arg(argc, argv, 1, 5000000), pause = wl_arg(argc, argv, 2, 0);
    uint64_t spent = 0, began = wl_now();
    for (long done = 0; done < pairs; done++) {
        free(wl_keep(malloc(24)));
        if (pause && done % 1000 == 999) {
            spent += wl_now() - began;
            usleep((useconds_t)pause);
            began = wl_now();
        }
    }
    spent += wl_now() - began;
    wl_report("calls", spent, 2 * (uint64_t)pairs, "");
    return 0;
}
