// Functions of every kind of argument and result; `values_traced.c` calls them and says what a trace must show.
#define _GNU_SOURCE
#include <complex.h>
#include <immintrin.h>
#include <stdarg.h>
#include <string.h>
#include <wchar.h>

#include "values_traced.h"

double ten(double a, double b, double c, double d, double e, double f, double g, double h, double i, double j)
{
    return a + b + c + d + e + f + g + h + i + j;
}

float single(float a, int b, float c) { return a * (float)b + c; }

long double extended(long double a, int b) { return a * b; }

double complex turned(double complex a) { return a * I; }

struct small small(struct small s) { return (struct small){s.b, s.a}; }

struct mixed mixed(struct mixed s, int times) { return (struct mixed){s.real * times, s.whole * times}; }

struct floats floats(struct floats s) { return (struct floats){s.y, s.x, s.z + 1}; }

struct large large(struct large s, int add)
{
    for (int i = 0; i < 5; i++)
        s.numbers[i] += add;
    return s;
}

long twenty(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j, long k, long l, long m, long n,
            long o, long p, long q, long r, long s, long t)
{
    return a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p + q + r + s + t;
}

double interleaved(int a, double b, long c, float d, const char *text, double e, long f, long g, long h, double i)
{
    return a + b + (double)c + d + (double)strlen(text) + e + (double)(f + g + h) + i;
}

__m256d vectors(__m256d a, __m256d b) { return _mm256_add_pd(a, b); }

int fill(char *into, int size)
{
    for (int i = 0; i < size; i++)
        into[i] = (char)('a' + i);
    return size;
}

long wide(const wchar_t *text) { return (long)wcslen(text); }

int apply(int (*function)(int), int value) { return function(value) + 1; }

int opened(const char *path, int flags) { return path[0] == '/' ? flags : -1; }

int narrow(char a, unsigned short b) { return a + b; }

const char *chosen(struct entry *entry, int index) { return index < entry->count ? entry->names[index] : 0; }
