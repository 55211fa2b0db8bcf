// Tells how far it is in a file that outlives it, from two threads: tells FILE ROUNDS.
//
// FILE gets four 64-bit numbers: calls of dup begun and ended in the first thread, then in the second. What it prints
// depends on ROUNDS only.
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "say.h"

static volatile uint64_t *counts;
static int rounds;

static void *work(void *of)
{
    volatile uint64_t *mine = of;
    for (int round = 0; round < rounds; round++) {
        mine[0]++;
        int copy = dup(0);
        mine[1]++;
        char *block = malloc((size_t)round % 100 + 1);
        if (copy < 0 || !block)
            fail("work");
        block[0] = 1;
        free(block);
        close(copy);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage");
    rounds = atoi(argv[2]);
    int file = open(argv[1], O_RDWR | O_CREAT, 0600);
    if (file < 0 || ftruncate(file, 4096))
        fail("file");
    void *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED)
        fail("mmap");
    counts = mapped;
    close(file);
    pthread_t other;
    if (pthread_create(&other, NULL, work, (void *)(counts + 2)))
        fail("pthread_create");
    work((void *)counts);
    pthread_join(other, NULL);
    say("finished", rounds);
    return 3;
}
