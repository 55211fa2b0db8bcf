// Weighted sums, so that no argument can stand for another.
#include <stdarg.h>

struct point {
    double x, y;
};
struct block {
    long words[5];
};

long twenty(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j, long k, long l, long m, long n,
            long o, long p, long q, long r, long s, long t)
{
    long given[20] = {a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t}, sum = 0;
    for (int at = 0; at < 20; at++)
        sum += given[at] * (at + 1);
    return sum;
}

double twelve(double a, int i, double b, double c, double d, double e, double f, double g, double h, double k, double l,
              double m, double n)
{
    double given[12] = {a, b, c, d, e, f, g, h, k, l, m, n}, sum = i;
    for (int at = 0; at < 12; at++)
        sum += given[at] * (at + 1);
    return sum;
}

long by_value(struct block a, struct point b, struct block c, char d, short e)
{
    long sum = (long)b.y + d + e;
    for (int at = 0; at < 5; at++)
        sum += a.words[at] + c.words[at];
    return b.x == 0.5 ? sum : -1;
}
