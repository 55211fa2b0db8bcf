// A plugin for plugins.c. Compiled once with -DFIRST and once without, it is two libraries of one shape in
// which the same address belongs to functions of different names and lines.
#include <stdlib.h>

static void *volatile kept;

#ifdef FIRST
__attribute__((noinline)) static void first_leaks(int blocks)
{
    for (int i = 0; i < blocks; i++)
        kept = malloc(17); // LEAK first
}
#else
__attribute__((noinline)) static void other_leaks(int blocks)
{
    for (int i = 0; i < blocks; i++)
        kept = malloc(19); // LEAK other
}
#endif

void plugin_entry(int blocks)
{
#ifdef FIRST
    first_leaks(blocks); // VIA first
#else
    other_leaks(blocks); // VIA other
#endif
    kept = NULL;
}
