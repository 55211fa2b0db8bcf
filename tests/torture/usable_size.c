// Uses every byte that malloc_usable_size grants, of all sizes, and finds it the same as the allocator's rule.
#include <malloc.h>
#include <stdlib.h>
#include "must.h"

int main(void)
{
    unsigned long granted = 0, calls = 0;
    MUST(malloc_usable_size(NULL) == 0);
    for (size_t size = 0; size < 5000; size = size * 9 / 8 + 1, calls++) {
        char *volatile block = malloc(size);
        size_t usable = malloc_usable_size(block);
        MUST(usable >= size);
        memset(block, 0x5a, usable);
        granted += usable;
        free(block);
    }
    // A large block is a mapping of its own.
    char *volatile large = malloc(1 << 20);
    calls++;
    size_t usable = malloc_usable_size(large);
    memset(large, 0x5a, usable);
    free(large);
    printf("granted %lu and %zu\ncall.malloc=%lu\ncall.free=%lu\n", granted, usable, calls, calls);
    return 0;
}
