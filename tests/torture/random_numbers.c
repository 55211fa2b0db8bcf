// Draws random numbers: the seeded ones are the known sequence, the kernel's come in full.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include "must.h"

int main(void)
{
    unsigned char one[256], other[256];
    for (int i = 0; i < 100; i++) {
        memset(one, 0, sizeof one);
        MUST(getrandom(one, sizeof one, 0) == sizeof one);
        MUST(!getentropy(other, sizeof other) && memcmp(one, other, sizeof one));
    }
    // The start-up stack's, which the loader takes canaries from.
    const unsigned char *start = (const unsigned char *)getauxval(AT_RANDOM);
    MUST(start);
    int zeros = 0;
    for (int i = 0; i < 16; i++)
        zeros += start[i] == 0;
    MUST(zeros < 8);
    srandom(1);
    srand48(1);
    printf("%ld %ld %ld\n", random(), random(), lrand48());
    unsigned seed = 5;
    printf("%d\n", rand_r(&seed));
    return 0;
}
