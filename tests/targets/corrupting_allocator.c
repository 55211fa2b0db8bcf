// An allocator that corrupts the program, as a shared library: from its FAULTLESS-th block on, it gives blocks of
// at least 64 bytes half of their room, so that the next block lies in their second half.
//
// It takes nothing back and keeps its books elsewhere, so that nobody but the program has the damage.
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "derived.h"

#ifndef FAULTLESS
#define FAULTLESS 1000
#endif

enum { UNIT = 16, LEAST = 64 };
static const size_t REGION = (size_t)1 << 30;

static _Alignas(4096) char region[(size_t)1 << 30];
static size_t sizes[((size_t)1 << 30) / UNIT]; // Of the block that begins at this unit.
static atomic_size_t next, blocks;

// `alignment` is a power of two.
static void *give(size_t alignment, size_t size)
{
    if (alignment < UNIT)
        alignment = UNIT;
    if (size > REGION / 4 || alignment > REGION / 4) {
        errno = ENOMEM;
        return NULL;
    }
    size_t room = (size + UNIT) & ~(size_t)(UNIT - 1);
    if (atomic_fetch_add(&blocks, 1) >= FAULTLESS && size >= LEAST)
        room = (size / 2) & ~(size_t)(UNIT - 1);
    size_t start = atomic_fetch_add(&next, room + alignment - UNIT);
    start = (start + alignment - 1) & ~(alignment - 1);
    if (start > REGION - 2 * size - 2 * UNIT) {
        errno = ENOMEM;
        return NULL;
    }
    sizes[start / UNIT] = size;
    return region + start;
}

void *malloc(size_t size)
{
    return give(UNIT, size);
}

void free(void *block)
{
    (void)block;
}

size_t malloc_usable_size(void *block)
{
    return block ? sizes[(size_t)((char *)block - region) / UNIT] : 0;
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = give(UNIT, bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

void *realloc(void *block, size_t size)
{
    size_t before = malloc_usable_size(block);
    if (block && size == 0)
        return NULL;
    void *fresh = give(UNIT, size);
    return fresh && block ? memcpy(fresh, block, before < size ? before : size) : fresh;
}

void *memalign(size_t alignment, size_t size)
{
    return give(alignment, size);
}
