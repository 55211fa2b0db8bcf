// An allocator that aborts at its LAST-th allocation, as a shared library; until then it is the C library's.
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include "derived.h"

#ifndef LAST
#define LAST 1000
#endif

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static void counted(void)
{
    static atomic_long given;
    static const char message[] = "crashing_allocator: no more\n";
    if (atomic_fetch_add(&given, 1) + 1 < LAST)
        return;
    if (write(STDERR_FILENO, message, sizeof message - 1) < 0)
        _exit(97);
    abort();
}

void *malloc(size_t size)
{
    counted();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    counted();
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    counted();
    return __libc_realloc(block, size);
}

void *memalign(size_t alignment, size_t size)
{
    counted();
    return __libc_memalign(alignment, size);
}

void free(void *block)
{
    __libc_free(block);
}
