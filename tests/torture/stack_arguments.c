// Twenty integers, twelve doubles and structs by value: what does not fit registers is found on the stack.
//
// torture: linked stack_library.c
// torture: builds product
#include "check.h"

struct point {
    double x, y;
};
struct block {
    long words[5];
};
long twenty(long a, long b, long c, long d, long e, long f, long g, long h, long i, long j, long k, long l, long m, long n,
            long o, long p, long q, long r, long s, long t);
double twelve(double a, int i, double b, double c, double d, double e, double f, double g, double h, double k, double l,
              double m, double n);
long by_value(struct block a, struct point b, struct block c, char d, short e);

int main(void)
{
    for (volatile long n = 0; n < 20; n++) {
        long total = twenty(n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, n + 19);
        // Argument i counts i+1 times: the sum of (i+1)*i for 1 to 19, and n for the first and the last.
        EXPECT(total == 2660 + 21 * n);
        double weighted = twelve(n, 1000, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
        EXPECT(weighted == n + 1000 + 2 * 1 + 3 * 2 + 4 * 3 + 5 * 4 + 6 * 5 + 7 * 6 + 8 * 7 + 9 * 8 + 10 * 9 + 11 * 10 + 12 * 11);
        struct block one = {{n, 1, 2, 3, 4}}, other = {{10, 20, 30, 40, n}};
        struct point place = {0.5, n};
        EXPECT(by_value(one, place, other, 'x', -7) == 3 * n + 10 + 100 + 'x' - 7);
    }
    printf("call.twenty=20\ncall.twelve=20\ncall.by_value=20\n");
    return 0;
}
