// A library that keeps blocks, and a program that loads it in ways that keep it from ours.
//
//   deep PLUGIN deepbind N     the library looks for its functions in itself and its own needs first
//   deep PLUGIN plain N        as usual; built with -DOWN_MALLOC the program's own malloc serves everybody
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef PLUGIN
void *kept[100000];

__attribute__((visibility("default"))) void keep(long count)
{
    for (long i = 0; i < count; i++) {
        kept[i] = malloc(77);
        free(malloc(55));
    }
}
#else
#include "say.h"

#ifdef OWN_MALLOC
static _Alignas(16) char memory[64 << 20];
static size_t used;
static long given, taken;

void *malloc(size_t size)
{
    given++;
    size_t *block = (size_t *)(memory + used);
    used += (size + 31) & ~(size_t)15;
    *block = size;
    return used <= sizeof memory ? block + 2 : NULL;
}

void free(void *block) { taken += block != NULL; }

void *calloc(size_t count, size_t size) { return malloc(count * size); }

void *realloc(void *block, size_t size)
{
    void *other = malloc(size);
    if (block && other)
        memcpy(other, block, ((size_t *)block)[-2] < size ? ((size_t *)block)[-2] : size);
    return other;
}
#endif

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    int deep = strcmp(argv[2], "deepbind") == 0 ? RTLD_DEEPBIND : 0;
    void *plugin = dlopen(argv[1], RTLD_NOW | deep);
    if (!plugin)
        fail(dlerror());
    void (*keep)(long) = (void (*)(long))dlsym(plugin, "keep");
    long count = atol(argv[3]);
    keep(count);
    say("kept.blocks", count);
    say("kept.bytes", count * 77);
    return 0;
}
#endif
