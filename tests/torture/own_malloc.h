// An allocator as a program may bring one: blocks from a static room, each with its size before it, counted.
#ifndef OWN_MALLOC_H
#define OWN_MALLOC_H
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static char own_room[8 << 20] __attribute__((aligned(64)));
static size_t own_used;
// volatile: compilers think that what they know as strdup changes none of these.
static volatile long own_taken, own_given_back, own_foreign;

static inline void *own_take(size_t alignment, size_t size)
{
    size_t header = alignment < 16 ? 16 : alignment;
    size_t start = __atomic_fetch_add(&own_used, (size + 2 * header + 127) & ~(size_t)63, __ATOMIC_RELAXED);
    if (start + size + 2 * header + 128 > sizeof own_room) {
        errno = ENOMEM;
        return NULL;
    }
    uintptr_t block = ((uintptr_t)own_room + start + 2 * header - 1) / header * header;
    ((size_t *)block)[-1] = size;
    __atomic_add_fetch(&own_taken, 1, __ATOMIC_RELAXED);
    return (void *)block;
}

static inline void own_give_back(void *block)
{
    if (block == NULL)
        return;
    // A block of another allocator here would mean that calls were mixed up.
    if ((char *)block < own_room || (char *)block >= own_room + sizeof own_room)
        __atomic_add_fetch(&own_foreign, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&own_given_back, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size) { return own_take(16, size); }
void free(void *block) { own_give_back(block); }
void *aligned_alloc(size_t alignment, size_t size) { return own_take(alignment, size); }
void *memalign(size_t alignment, size_t size) { return own_take(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *taken = own_take(alignment, size);
    if (taken)
        *block = taken;
    return taken ? 0 : ENOMEM;
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return own_take(16, bytes); // The room is zero, and never used twice.
}

void *realloc(void *block, size_t size)
{
    void *grown = own_take(16, size);
    if (grown && block) {
        size_t old = ((size_t *)block)[-1];
        memcpy(grown, block, old < size ? old : size);
        own_give_back(block);
    }
    return grown;
}

#endif
