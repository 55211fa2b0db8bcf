// Ten vectors, argument i with the weight 2^i.
#include <immintrin.h>

__attribute__((target("avx512f"))) __m512i ten_wide(__m512i a, __m512i b, __m512i c, __m512i d, __m512i e, __m512i f,
                                                    __m512i g, __m512i h, __m512i i, __m512i j)
{
    __m512i given[10] = {a, b, c, d, e, f, g, h, i, j}, sum = _mm512_setzero_si512();
    for (unsigned at = 0; at < 10; at++)
        sum = _mm512_add_epi64(sum, _mm512_slli_epi64(given[at], at));
    return sum;
}
