// Maps, moves and unmaps pages in known amounts and leaves some.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "say.h"

enum { PAGE = 4096 };

static char *map(size_t pages)
{
    void *start = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        fail("mmap");
    return start;
}

int main(void)
{
    int zero = open("/dev/zero", O_RDONLY);
    char *whole = map(10);
    char *file = mmap(NULL, 5 * PAGE, PROT_READ, MAP_PRIVATE, zero, 0);
    char *grown = map(1);
    if (mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        fail("mmap of nothing");
    munmap(whole + 3 * PAGE, 4 * PAGE); // a hole: three pages stay on either side
    grown = mremap(grown, PAGE, 8 * PAGE, MREMAP_MAYMOVE);
    if (file == MAP_FAILED || grown == MAP_FAILED)
        fail("mremap");
    munmap(file, 5 * PAGE);
    close(zero);
    say("mappings.mapped", 3);
    say("mappings.unmapped", 2);
    say("mappings.remapped", 1);
    say("mappings.still_mapped_bytes", (6 + 8) * PAGE);
    say("mappings.peak_bytes", (6 + 5 + 8) * PAGE);
    return 0;
}
