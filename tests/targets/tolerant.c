// An allocator that forgives everything, as a shared library: it never reuses a block soon, and a
// release does nothing. Lock-free, so it may be called from a signal handler.
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { REGION = 64 << 20, LARGEST = 1 << 20, HEADER = 16 };

static _Alignas(4096) char region[REGION + LARGEST + HEADER];
static _Atomic size_t next;
static _Atomic long blocks_given;

long tolerant_blocks_given(void)
{
    return blocks_given;
}

static void *give(size_t size)
{
    size_t room = ((size + 15) & ~(size_t)15) + HEADER;
    if (size > LARGEST - HEADER) {
        errno = ENOMEM;
        return NULL;
    }
    char *start = region + atomic_fetch_add(&next, room) % REGION;
    *(size_t *)start = size;
    blocks_given++;
    return start + HEADER;
}

void *malloc(size_t size)
{
    return give(size);
}

void free(void *block)
{
    (void)block;
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = give(bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

void *realloc(void *block, size_t size)
{
    if (!block)
        return give(size);
    if (!size)
        return NULL;
    void *fresh = give(size);
    if (!fresh)
        return NULL;
    size_t old = *(size_t *)((char *)block - HEADER);
    return memcpy(fresh, block, old < size ? old : size);
}
