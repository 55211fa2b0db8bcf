// The allocator of a plugin that brings one.
#define _GNU_SOURCE
#include "own_malloc.h"
#include <stdlib.h>

long plugin_work(int rounds)
{
    long before = own_taken;
    for (int i = 0; i < rounds; i++) {
        char *volatile block = malloc((size_t)i + 1);
        free(block);
        block = strdup("text");
        free(block);
    }
    return own_taken - before;
}

long plugin_foreign(void) { return own_foreign; }
