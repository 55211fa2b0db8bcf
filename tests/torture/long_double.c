// long double and complex numbers as arguments and results: on the stack, in xmm0 and xmm1, in st(0) and st(1).
//
// torture: linked long_double_library.c
// torture: libraries -lm
#include <complex.h>
#include <math.h>
#include <string.h>

#include "check.h"

long double extended(long double a, int i, long double b, double c);
float complex single_complex(float complex a, float complex b);
double complex double_complex(double complex a, int i, double complex b);
long double complex extended_complex(long double complex a, long double complex b);

int main(void)
{
    volatile long double third = 1.0L / 3.0L;
    // What a double cannot hold must arrive.
    EXPECT(extended(third, 3, third * 2, 0.5) == third * 3 + third * 2 + 0.5L);
    volatile long double tiny = 0x1p-16000L;
    EXPECT(extended(tiny, 1, 0, 0) == tiny);
    for (int i = 0; i < 20; i++) {
        volatile float real = (float)i;
        float complex narrow = single_complex(real + 2 * I, 3 - real * I);
        EXPECT(crealf(narrow) == real + 3 && cimagf(narrow) == 2 - real);
        double complex wide = double_complex(real + 1e-12 * I, i, 5 - 1e-300 * I);
        EXPECT(creal(wide) == real * i + 5.0 && cimag(wide) == 1e-12 * i - 1e-300);
        long double complex longest = extended_complex(third + third * I, real - third * I);
        EXPECT(creall(longest) == third + real && cimagl(longest) == 0);
    }
    volatile double two = 2;
    volatile long double long_two = 2;
    printf("%.17g %.20Lg %.17g\n", cbrt(two), cbrtl(long_two), cabs(double_complex(two, 1, 2 * I)));
    printf("call.extended=2\ncall.single_complex=20\ncall.double_complex=21\ncall.extended_complex=20\n");
    return 0;
}
