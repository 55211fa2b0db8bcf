// Calls functions of the C library as often as asked, and says so: whichever way it was linked.
//
//   linkage N            the program itself calls
//   linkage N PLUGIN     a library loaded on the way calls: this same source, built with -shared
#include <ctype.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

static const char *const words[] = {"one", "three", "seventeen"};

// The result of each function goes into the sum, so that no call can be left out.
__attribute__((visibility("default"))) long work(long times)
{
    long sum = 0;
    for (long i = 0; i < times; i++) {
        const char *word = words[i % 3];
        sum += (long)strlen(word);
        sum += getuid() == 0;
        sum += labs(-i);
        sum += getppid() > 0;
        char *block = malloc((size_t)i + 1);
        sum += block != NULL;
        free(block);
        sum += strcmp(word, "three") == 0;
    }
    return sum;
}

// Through a function pointer taken at run time, as it is in a table, and as the loader gives it.
typedef int Convert(int);
static Convert *const table[] = {tolower};

__attribute__((visibility("default"))) int equal(void)
{
    Convert *volatile taken = tolower;
    return taken == table[0] && taken('A') == 'a';
}

__attribute__((visibility("default"))) Convert *address(void)
{
    Convert *volatile taken = tolower;
    return taken;
}

#ifndef PLUGIN
int main(int argc, char **argv)
{
    long times = argc > 1 ? atol(argv[1]) : 0;
    if (argc > 2) {
        void *plugin = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
        if (!plugin)
            fail(dlerror());
        long (*run)(long) = (long (*)(long))dlsym(plugin, "work");
        Convert *(*theirs)(void) = (Convert * (*)(void)) dlsym(plugin, "address");
        say("sum", run(times));
        say("equal", equal() && theirs() == address());
        dlclose(plugin);
    } else {
        say("sum", work(times));
        say("equal", equal());
    }
    for (int i = 0; i < 6; i++)
        say(((const char *const[]){"calls.strlen", "calls.getuid", "calls.labs", "calls.getppid", "calls.malloc",
                                   "calls.strcmp"})[i],
            times);
    return 7;
}
#endif
