// Uses heap and descriptors so that each value of a stack belongs to other functions: values.
//
// Prints VALUE.FUNCTION=N, in the words of --stack-value; all functions are called by work, and that by
// main. Lines that leave descriptors open are marked LEAK FUNCTION, the calls of them VIA FUNCTION.
#include <fcntl.h>
#include <stdlib.h>
#include "say.h"

enum { COUNT = 20 };

static void *volatile kept;

// Its blocks are never released.
static __attribute__((noinline)) void keeps(void)
{
    for (int i = 0; i < COUNT; i++)
        kept = malloc(150);
    say("leaked.keeps", COUNT * 150);
    say("peak.keeps", COUNT * 150);
    say("allocated.keeps", COUNT * 150);
    say("allocations.keeps", COUNT);
}

// Its blocks are released at once.
static __attribute__((noinline)) void hurries(void)
{
    for (int i = 0; i < 3 * COUNT; i++)
        free(malloc(40));
    say("allocated.hurries", 3 * COUNT * 40);
    say("allocations.hurries", 3 * COUNT);
    say("temporary.hurries", 3 * COUNT);
}

// Its blocks live together for a while.
static __attribute__((noinline)) void collects(void)
{
    void *blocks[COUNT];
    for (int i = 0; i < COUNT; i++)
        blocks[i] = malloc(1000);
    for (int i = 0; i < COUNT; i++)
        free(blocks[i]);
    say("peak.collects", COUNT * 1000);
    say("allocated.collects", COUNT * 1000);
    say("allocations.collects", COUNT);
}

static __attribute__((noinline)) void opens(void)
{
    for (int i = 0; i < 3; i++) {
        close(open("/dev/zero", O_RDONLY)); // no leak: same function, another line
        if (open("/dev/null", O_RDONLY) < 0) // LEAK opens
            fail("open");
    }
    say("descriptors.opens", 3);
}

static __attribute__((noinline)) void joins(void)
{
    int ends[2];
    if (pipe(ends)) // LEAK joins
        fail("pipe");
    say("descriptors.joins", 2);
}

static __attribute__((noinline)) void work(void)
{
    keeps();
    hurries();
    collects();
    opens(); // VIA opens
    joins(); // VIA joins
    kept = NULL;
}

int main(void)
{
    work(); // VIA opens VIA joins
    return 0;
}
