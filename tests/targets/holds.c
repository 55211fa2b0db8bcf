// Holds memory for a while and says how much, by its ledger and by the kernel: holds PROCESSES.
//
// All processes hold the same at the same time; the first one says what it has itself.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "say.h"

enum { BLOCKS = 100, BYTES = 400000 };

static void *volatile blocks[BLOCKS];

static void hold(void)
{
    for (int block = 0; block < BLOCKS; block++) {
        blocks[block] = malloc(BYTES);
        if (!blocks[block])
            _exit(99);
        memset(blocks[block], 1, BYTES);
    }
}

static void say_resident(void)
{
    char text[128] = {0};
    long size, resident, shared;
    int statm = open("/proc/self/statm", O_RDONLY);
    if (read(statm, text, sizeof text - 1) <= 0 || sscanf(text, "%ld %ld %ld", &size, &resident, &shared) != 3)
        _exit(99);
    close(statm);
    say("resident.bytes", resident * sysconf(_SC_PAGESIZE));
    say("anonymous.bytes", (resident - shared) * sysconf(_SC_PAGESIZE));
}

int main(int count, char **arguments)
{
    int others = count > 1 ? atoi(arguments[1]) - 1 : 0;
    int holding[2], over[2];
    char byte = 0;
    if (pipe(holding) || pipe(over))
        _exit(99);
    for (int other = 0; other < others; other++)
        if (fork() == 0) {
            close(over[1]);
            hold();
            if (write(holding[1], &byte, 1) != 1 || read(over[0], &byte, 1) != 0)
                _exit(99);
            _exit(0);
        }
    hold();
    for (int other = 0; other < others; other++)
        if (read(holding[0], &byte, 1) != 1)
            _exit(99);
    say("live.bytes", (long)BLOCKS * BYTES);
    say("live.blocks", BLOCKS);
    say_resident();
    usleep(400000);
    close(over[1]);
    while (wait(NULL) > 0)
        ;
    for (int block = 0; block < BLOCKS; block++)
        free(blocks[block]);
}
