// Loads two plugins one after the other, at the same place, several times over: plugins ROUNDS FIRST OTHER.
//
// Each call of a plugin leaks one block more than the last one.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include "say.h"

static void *place;

static __attribute__((noinline)) void use(const char *path, int blocks)
{
    void *plugin = dlopen(path, RTLD_NOW);
    void (*entry)(int) = plugin ? (void (*)(int))dlsym(plugin, "plugin_entry") : NULL;
    if (!entry)
        fail("dlopen");
    if (place && place != (void *)entry)
        fail("the plugins are at different addresses");
    place = (void *)entry;
    entry(blocks); // VIA first VIA other
    dlclose(plugin);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        fail("usage");
    int rounds = atoi(argv[1]), blocks = 0;
    long leaked[2] = {0, 0};
    for (int round = 0; round < rounds; round++)
        for (int which = 0; which < 2; which++) {
            use(argv[2 + which], ++blocks); // VIA first VIA other
            leaked[which] += blocks;
        }
    say("leaked.first.blocks", leaked[0]);
    say("leaked.first.bytes", leaked[0] * 17);
    say("leaked.other.blocks", leaked[1]);
    say("leaked.other.bytes", leaked[1] * 19);
    return 0;
}
