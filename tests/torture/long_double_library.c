// Sums, as seen from another object.
#include <complex.h>

long double extended(long double a, int i, long double b, double c) { return a * i + b + c; }
float complex single_complex(float complex a, float complex b) { return a + b; }
double complex double_complex(double complex a, int i, double complex b) { return a * i + b; }
long double complex extended_complex(long double complex a, long double complex b) { return a + b; }
