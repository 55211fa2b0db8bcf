// Allocates, frees and prints for a while, then writes a marker file: marathon ROUNDS MARKER.
//
// What it prints depends on ROUNDS only.
#include <fcntl.h>
#include <stdlib.h>
#include "say.h"

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage");
    int rounds = atoi(argv[1]);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < 1000; i++) {
            char *block = malloc((size_t)(i + 1));
            block[0] = 1;
            free(block);
        }
        close(open("/dev/null", O_RDONLY));
        if (round % 100 == 0)
            say("round", round);
    }
    int marker = open(argv[2], O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (marker < 0 || write(marker, "done", 4) != 4)
        fail("marker");
    say("finished", rounds);
    return 3;
}
