// What a program says when it is not as it should be.
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

// Ends the program with status 1 if something does not hold.
#define EXPECT(what) \
    do { \
        if (!(what)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what); \
            exit(1); \
        } \
    } while (0)

// Keeps the compiler from knowing what becomes of a pointer: calls for it are really made.
static inline void *sunk(void *pointer)
{
    __asm__ volatile("" : "+r"(pointer) : : "memory");
    return pointer;
}

#endif
