// Functions of an allocator that come down to `realloc` and `memalign`, for allocators of which these are defined.
#ifndef DERIVED_H
#define DERIVED_H

#include <errno.h>
#include <stddef.h>

void *realloc(void *block, size_t size);
void *memalign(size_t alignment, size_t size);

void *reallocarray(void *block, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment % sizeof(void *) != 0)
        return EINVAL;
    int before = errno;
    void *given = memalign(alignment, size);
    errno = before;
    if (!given)
        return ENOMEM;
    *block = given;
    return 0;
}

#endif
