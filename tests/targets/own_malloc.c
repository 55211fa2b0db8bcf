// A program whose own malloc serves its libraries.
//
//   own_malloc ROUNDS      built with -DLIBRARY it is the library
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef LIBRARY
static int by_value(const void *one, const void *other)
{
    return *(const int *)one - *(const int *)other;
}

// Gives the block it was given back, and returns one of its own.
__attribute__((visibility("default"))) void *work(void *block)
{
    static int values[4096];
    void *aligned;
    free(block);
    char *some = malloc(100);
    some = realloc(some, 5000);
    free(calloc(3, 70));
    if (posix_memalign(&aligned, 64, 300) == 0)
        free(aligned);
    // What the C library gets for them is the program's, too.
    char *copy = strdup("a string of the library's");
    qsort(values, 4096, sizeof values[0], by_value);
    FILE *stream = fopen("/proc/self/cmdline", "r");
    if (stream) {
        char *line = NULL;
        size_t room = 0;
        if (getdelim(&line, &room, '\0', stream) < 1)
            abort();
        free(line);
        fclose(stream);
    }
    free(some);
    free(copy);
    return malloc(40);
}

__attribute__((visibility("default"))) void *keep(void) { return malloc(77); }
#else
#include "own_malloc.h"

void *work(void *block);
void *keep(void);

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? atol(argv[1]) : 0;
    for (long i = 0; i < rounds; i++) {
        void *block = NULL;
        OWN(block = malloc(24));
        block = work(block);
        OWN(free(block));
        if (keep() == NULL)
            fail("keep");
    }
    // Freed twice for whoever sees the library's calls only.
    for (long i = 0; i < rounds; i++) {
        void *block = keep();
        OWN(free(block));
    }
    say_served();
    return 0;
}
#endif
