// Indirect functions that nobody else can see, called as often as asked: the object that defines them calls them through
// its linkage table, by a slot without a symbol.
//
//   indirect N           the program itself calls
//   indirect N LIBRARY   a library loaded on the way calls: this same source, built with -DLIBRARY -shared
//
// Built with -DNEEDS, the program has them called by that library, which it is linked with.
#include <dlfcn.h>
#include <stdlib.h>

#include "say.h"

#ifdef NEEDS
long walk(long times, long *counts);
#else
typedef long Step(long);

// What the indirect ones turn out to be. The counts are the program's own.
static long singles, doubles;

__attribute__((noinline, noclone)) static long by_one(long from)
{
    singles++;
    return from + 1;
}

__attribute__((noinline, noclone)) static long by_two(long from)
{
    doubles++;
    return from + 2;
}

static Step *choose_one(void)
{
    return by_one;
}

static Step *choose_two(void)
{
    return by_two;
}

__attribute__((visibility("hidden"), ifunc("choose_one"))) long single_step(long from);
static __attribute__((ifunc("choose_two"))) long double_step(long from);
// A second name of the same: calls by either go through one slot.
__attribute__((visibility("hidden"), ifunc("choose_two"))) long second_name(long from);

__attribute__((visibility("default"))) long walk(long times, long *counts)
{
    long at = 0;
    for (long i = 0; i < times; i++) {
        at = single_step(at);
        at = double_step(at);
        at = double_step(at);
    }
    counts[0] = singles;
    counts[1] = doubles;
    return at;
}
#endif

#ifndef LIBRARY
int main(int argc, char **argv)
{
    long times = argc > 1 ? atol(argv[1]) : 0;
    long counts[2] = {0, 0};
    long (*walks)(long, long *) = walk;
    if (argc > 2) {
        void *library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
        if (!library)
            fail(dlerror());
        walks = (long (*)(long, long *))dlsym(library, "walk");
    }
    say("at", walks(times, counts));
    say("calls.single_step", counts[0]);
    say("calls.double_step", counts[1]);
    return 7;
}
#endif
