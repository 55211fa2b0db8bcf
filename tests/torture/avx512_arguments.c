// 512-bit vectors as arguments and results, and what ends up in the upper halves of zmm registers.
//
// torture: linked avx512_library.c
#include <immintrin.h>

#include "check.h"

__attribute__((target("avx512f"))) __m512i ten_wide(__m512i a, __m512i b, __m512i c, __m512i d, __m512i e, __m512i f, __m512i g, __m512i h, __m512i i, __m512i j);

__attribute__((target("avx512f"))) static int calls(void)
{
    for (volatile int n = 0; n < 20; n++) {
        __m512i v[10];
        for (int i = 0; i < 10; i++) {
            long long lanes[8];
            for (int lane = 0; lane < 8; lane++)
                lanes[lane] = n + i * 8 + lane;
            v[i] = _mm512_loadu_si512(lanes);
        }
        long long sums[8];
        _mm512_storeu_si512(sums, ten_wide(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]));
        // The weight of argument i is 2^i, so the sum tells them apart.
        for (int lane = 0; lane < 8; lane++)
            EXPECT(sums[lane] == 1023LL * (n + lane) + 8 * 8194LL);
    }
    return 20;
}

int main(void)
{
    if (!__builtin_cpu_supports("avx512f")) {
        fprintf(stderr, "the processor has no AVX-512\n");
        return 77;
    }
    printf("call.ten_wide=%d\n", calls());
    return 0;
}
