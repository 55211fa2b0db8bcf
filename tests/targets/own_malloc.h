// A program's own malloc family. It counts the calls that others make: the program says so of its own ones by OWN().
#pragma once
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "say.h"

#ifdef __cplusplus
#define EXPORTED extern "C" __attribute__((visibility("default")))
#else
#define EXPORTED __attribute__((visibility("default")))
#endif

static int own;
static struct {
    long malloc, calloc, realloc, posix_memalign, free;
} served;

#define OWN(call)     \
    do {              \
        own++;        \
        call;         \
        own--;        \
    } while (0)

static char memory[256 << 20] __attribute__((aligned(4096)));
static size_t used;

static void *take(size_t size, size_t alignment)
{
    used = (used + sizeof size + alignment - 1) & ~(alignment - 1);
    if (size > sizeof memory - used)
        fail("own memory");
    char *block = memory + used;
    memcpy(block - sizeof size, &size, sizeof size);
    used += size;
    return block;
}

static size_t size_of(void *block)
{
    size_t size;
    if ((char *)block < memory || (char *)block >= memory + sizeof memory)
        fail("a block of another allocator's");
    memcpy(&size, (char *)block - sizeof size, sizeof size);
    return size;
}

EXPORTED void *malloc(size_t size)
{
    served.malloc += !own;
    return take(size, 16);
}

EXPORTED void *calloc(size_t count, size_t size)
{
    served.calloc += !own;
    return memset(take(count * size, 16), 0, count * size);
}

EXPORTED void *realloc(void *block, size_t size)
{
    served.realloc += !own;
    void *other = take(size, 16);
    if (block)
        memcpy(other, block, size_of(block) < size ? size_of(block) : size);
    return other;
}

EXPORTED int posix_memalign(void **block, size_t alignment, size_t size)
{
    served.posix_memalign += !own;
    *block = take(size, alignment);
    return 0;
}

EXPORTED void free(void *block)
{
    served.free += !own;
    if (block)
        memset(block, 0xdd, size_of(block));
}

static void say_served(void)
{
    say("call.malloc", served.malloc);
    say("call.calloc", served.calloc);
    say("call.realloc", served.realloc);
    say("call.posix_memalign", served.posix_memalign);
    say("call.free", served.free);
}
