// Ten vectors, each with a weight of its own, so that none can take another's place.
#include <immintrin.h>
#include <stdarg.h>

__attribute__((target("avx"))) __m256d ten(__m256d a, __m256d b, __m256d c, __m256d d, __m256d e, __m256d f, __m256d g,
                                           __m256d h, __m256d i, __m256d j)
{
    __m256d given[10] = {a, b, c, d, e, f, g, h, i, j}, sum = _mm256_setzero_pd();
    for (int at = 0; at < 10; at++)
        sum = _mm256_add_pd(sum, _mm256_mul_pd(given[at], _mm256_set1_pd(at + 1)));
    return sum;
}

__attribute__((target("avx"))) double last_of_variadic(int count, ...)
{
    va_list list;
    double parts[4] = {0};
    va_start(list, count);
    while (count-- > 0)
        _mm256_storeu_pd(parts, va_arg(list, __m256d));
    va_end(list);
    return parts[3];
}
