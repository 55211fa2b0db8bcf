// Calls `values_library.c` and says, for each call, how a trace must show it: `trace=...`, blanks before the result left out.
#define _GNU_SOURCE
#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>

#include "values_traced.h"

__m256d vectors(__m256d, __m256d);

static int twice(int value) { return 2 * value; }

int main(void)
{
    // The first call of all takes ten numbers in registers and on the stack.
    printf("%.2f %.2f %.2f %.2f %.2f %.2f %.2f %.2f %.2f %.2f\n", 0.25, 1.25, 2.25, 3.25, 4.25, 5.25, 6.25, 7.25, 8.25, 9.25);
    double sum = ten(0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5);
    printf("trace=ten(%f, %f, %f, %f, %f, %f, %f, %f, %f, %f) = %f\n", 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, sum);
    printf("trace=single(%f, %d, %f) = %f\n", 1.5f, 3, 0.25f, single(1.5f, 3, 0.25f));
    printf("trace=extended(%Lf, %d) = %Lf\n", 1.5L, -3, extended(1.5L, -3));
    double complex turn = turned(1.5 + 2.5 * I);
    printf("trace=turned(%f+%fi) = %f+%fi\n", 1.5, 2.5, creal(turn), cimag(turn));
    struct small s = small((struct small){3, -4});
    printf("trace=small({ 3, -4 }) = { %d, %d }\n", s.a, s.b);
    struct mixed m = mixed((struct mixed){1.25, 7}, 3);
    printf("trace=mixed({ %f, 7 }, 3) = { %f, %ld }\n", 1.25, m.real, m.whole);
    struct floats f = floats((struct floats){1, 2, 3});
    printf("trace=floats({ %f, %f, %f }) = { %f, %f, %f }\n", 1.0, 2.0, 3.0, f.x, f.y, f.z);
    struct large l = large((struct large){{1, 2, 3, 4, 5}}, 10);
    printf("trace=large({ [ 1, 2, 3, 4, 5 ] }, 10) = { [ %ld, %ld, %ld, %ld, %ld ] }\n", l.numbers[0], l.numbers[1], l.numbers[2],
           l.numbers[3], l.numbers[4]);
    long all = twenty(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, -20);
    printf("trace=twenty(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, -20) = %ld\n", all);
    double mix = interleaved(1, 2.5, 3, 4.5f, "five", 6.5, 7, 8, 9, 10.5);
    printf("trace=interleaved(1, %f, 3, %f, \"five\", %f, 7, 8, 9, %f) = %f\n", 2.5, 4.5, 6.5, 10.5, mix);
    if (__builtin_cpu_supports("avx")) {
        double out[4];
        __asm__ volatile("" ::: "memory");
        extern void add_vectors(double *);
        add_vectors(out);
        printf("vectors=%f %f %f %f\n", out[0], out[1], out[2], out[3]);
    }
    char buffer[8];
    int filled = fill(buffer, 5);
    printf("trace=fill(\"abcde\", 5) = %d\n", filled);
    printf("trace=wide(\"gr\u00fcn\") = %ld\n", wide(L"gr\u00fcn"));
    int applied = apply(twice, 20);
    printf("applied=%d\n", applied);
    printf("trace=opened(\"/tmp/x\", WRITE|CREATE) = %d\n", opened("/tmp/x", 0x41));
    printf("trace=narrow('A', 40000) = %d\n", narrow('A', 40000));
    const char *names[] = {"first", "second"};
    struct entry entry = {2, names};
    printf("trace=chosen({ 2, [ \"first\", \"second\" ] }, 1) = \"%s\"\n", chosen(&entry, 1));
    fflush(stdout);
    return 7;
}

__attribute__((target("avx"))) void add_vectors(double *out)
{
    __m256d sum = vectors(_mm256_set_pd(4.5, 3.5, 2.5, 1.5), _mm256_set_pd(40, 30, 20, 10));
    _mm256_storeu_pd(out, sum);
}
