// Calls the C library's allocator by its other names, __libc_malloc and its like, and mixes them with the usual ones.
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include "must.h"

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

int main(void)
{
    for (int i = 1; i <= 100; i++) {
        char *volatile one = __libc_malloc((size_t)i);
        char *volatile two = __libc_calloc((size_t)i, 2);
        char *volatile three = __libc_memalign(64, (size_t)i);
        MUST(one && two && three && two[2 * i - 1] == 0 && (uintptr_t)three % 64 == 0);
        one = __libc_realloc(one, (size_t)i * 3);
        MUST(one && malloc_usable_size(one) >= (size_t)i * 3);
        free(one);
        __libc_free(two);
        free(three);
        char *volatile four = malloc((size_t)i);
        __libc_free(four);
    }
    // Not counted: they are the same functions as the usual ones, and one function has one name in a trace.
    printf("mixed\n");
    return 0;
}
