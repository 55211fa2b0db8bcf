// 256-bit vectors as arguments and results: eight in ymm registers, two more on the stack.
//
// torture: linked avx_library.c
// torture: builds product
#include <immintrin.h>

#include "check.h"

__attribute__((target("avx"))) __m256d ten(__m256d a, __m256d b, __m256d c, __m256d d, __m256d e, __m256d f, __m256d g, __m256d h, __m256d i, __m256d j);
__attribute__((target("avx"))) double last_of_variadic(int count, ...);

__attribute__((target("avx"))) static int calls(void)
{
    for (volatile int n = 0; n < 20; n++) {
        __m256d v[10];
        for (int i = 0; i < 10; i++)
            v[i] = _mm256_set_pd(n + i * 1000, n + i * 100, n + i * 10, n + i);
        __m256d sum = ten(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]);
        double parts[4];
        _mm256_storeu_pd(parts, sum);
        for (int lane = 0, scale = 1; lane < 4; lane++, scale *= 10)
            EXPECT(parts[lane] == n * 55.0 + 330.0 * scale);
        EXPECT(last_of_variadic(2, v[1], v[9]) == n + 9000.0);
    }
    return 20;
}

int main(void)
{
    if (!__builtin_cpu_supports("avx")) {
        fprintf(stderr, "the processor has no AVX\n");
        return 77;
    }
    int count = calls();
    printf("call.ten=%d\ncall.last_of_variadic=%d\n", count, count);
    return 0;
}
