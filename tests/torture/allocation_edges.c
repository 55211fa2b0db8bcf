// The allocator at its edges: no bytes, too many, overflow, odd alignments, NULL, and errno after each.
//
// torture: libraries -fno-builtin
#define _GNU_SOURCE
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include "must.h"

// Values that the compiler does not know.
static volatile size_t none, huge = SIZE_MAX, half = SIZE_MAX / 2 + 1, too_many = PTRDIFF_MAX;

#define FAILS(call)                                     \
    do {                                                \
        errno = 0;                                      \
        void *volatile block_ = (call);                 \
        MUST(block_ == NULL && errno == ENOMEM);        \
    } while (0)

int main(void)
{
    void *volatile a = malloc(none), *volatile b = malloc(none);
    MUST(a && b && a != b);
    a = realloc(a, none);
    MUST(a == NULL);
    b = realloc(b, 100);
    MUST(b);
    free(b);
    void *volatile c = realloc(NULL, 50);
    MUST(c);
    FAILS(malloc(huge));
    FAILS(malloc(too_many));
    FAILS(calloc(half, 2));
    FAILS(calloc(2, half));
    FAILS(reallocarray(c, half, 2));
    FAILS(realloc(c, huge));
    memset(c, 1, 50); // What could not grow is still there.
    c = reallocarray(c, 10, 10);
    MUST(c && ((char *)c)[49] == 1);
    free(c);
    errno = 77;
    free(NULL);
    MUST(errno == 77);
    free(malloc(1 << 20)); // free keeps errno, also when it unmaps.
    MUST(errno == 77);
    void *volatile d = calloc(none, 10);
    MUST(d);
    free(d);

    static char unchanged;
    void *out = &unchanged;
    MUST(posix_memalign(&out, 3, 10) == EINVAL && out == &unchanged);
    MUST(posix_memalign(&out, 0, 10) == EINVAL && out == &unchanged);
    MUST(posix_memalign(&out, 16, huge) == ENOMEM && out == &unchanged);
    MUST(posix_memalign(&out, 1 << 16, none) == 0 && (uintptr_t)out % (1 << 16) == 0);
    free(out);
    for (size_t alignment = 8; alignment <= 1 << 20; alignment *= 2) {
        MUST(posix_memalign(&out, alignment, 3) == 0 && (uintptr_t)out % alignment == 0);
        free(out);
        out = aligned_alloc(alignment, alignment);
        MUST(out && (uintptr_t)out % alignment == 0);
        free(out);
        out = memalign(alignment, 5);
        MUST(out && (uintptr_t)out % alignment == 0);
        free(out);
    }
    FAILS(aligned_alloc(4096, huge));
    FAILS(memalign(4096, huge));
    FAILS(valloc(huge));
    FAILS(pvalloc(huge));
    out = valloc(10);
    MUST(out && (uintptr_t)out % 4096 == 0);
    free(out);
    out = pvalloc(10);
    MUST(out && (uintptr_t)out % 4096 == 0 && malloc_usable_size(out) >= 4096);
    free(out);
    printf("all as it must be\ncall.posix_memalign=22\ncall.aligned_alloc|memalign=38\ncall.valloc=2\n"
           "call.pvalloc=2\ncall.reallocarray=2\n");
    return 0;
}
