// An allocator as simple as can be, as a shared library: each block is a mapping of its own.
//
// Correct and thread-safe, because the kernel is. In front of each block there is what free needs.
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "derived.h"

struct mapping {
    char *start;
    size_t bytes;
};

enum { ALIGNMENT = 16 };
_Static_assert(sizeof(struct mapping) <= ALIGNMENT, "it lies between the mapping's start and the block");

static struct mapping *mapping_of(void *block)
{
    return (struct mapping *)block - 1;
}

// A block whose address is a multiple of `alignment`, a power of two.
static void *give(size_t alignment, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes;
    if (alignment < ALIGNMENT)
        alignment = ALIGNMENT;
    if (__builtin_add_overflow(size, alignment + page - 1, &bytes) || bytes > PTRDIFF_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    bytes -= bytes % page;
    char *start = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED) {
        errno = ENOMEM;
        return NULL;
    }
    char *block = (char *)(((uintptr_t)start + alignment) & ~(uintptr_t)(alignment - 1));
    *mapping_of(block) = (struct mapping){start, bytes};
    return block;
}

void *malloc(size_t size)
{
    return give(ALIGNMENT, size);
}

void free(void *block)
{
    int before = errno;
    if (block) {
        struct mapping mapping = *mapping_of(block);
        munmap(mapping.start, mapping.bytes);
    }
    errno = before;
}

size_t malloc_usable_size(void *block)
{
    if (!block)
        return 0;
    struct mapping *mapping = mapping_of(block);
    return (size_t)(mapping->start + mapping->bytes - (char *)block);
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return give(ALIGNMENT, bytes); // Fresh pages are zero.
}

void *realloc(void *block, size_t size)
{
    if (!block)
        return give(ALIGNMENT, size);
    if (size == 0) {
        free(block);
        return NULL;
    }
    size_t room = malloc_usable_size(block);
    if (size <= room && size > room / 2)
        return block;
    void *fresh = give(ALIGNMENT, size);
    if (!fresh)
        return NULL;
    memcpy(fresh, block, size < room ? size : room);
    free(block);
    return fresh;
}

static int is_power_of_two(size_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

void *memalign(size_t alignment, size_t size)
{
    if (!is_power_of_two(alignment)) {
        errno = EINVAL;
        return NULL;
    }
    return give(alignment, size);
}

void *valloc(size_t size)
{
    return give((size_t)sysconf(_SC_PAGESIZE), size);
}

void *pvalloc(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes;
    if (__builtin_add_overflow(size, page - 1, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return give(page, bytes - bytes % page);
}
