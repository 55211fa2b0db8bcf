#pragma once
#include <complex.h>
#include <wchar.h>

struct small { int a, b; };
struct mixed { double real; long whole; };
struct floats { float x, y, z; };
struct large { long numbers[5]; };
struct entry { int count; const char **names; };

double ten(double, double, double, double, double, double, double, double, double, double);
float single(float, int, float);
long double extended(long double, int);
double complex turned(double complex);
struct small small(struct small);
struct mixed mixed(struct mixed, int);
struct floats floats(struct floats);
struct large large(struct large, int);
long twenty(long, long, long, long, long, long, long, long, long, long, long, long, long, long, long, long, long, long,
            long, long);
double interleaved(int, double, long, float, const char *, double, long, long, long, double);
int fill(char *, int);
long wide(const wchar_t *);
int apply(int (*)(int), int);
int opened(const char *, int);
int narrow(char, unsigned short);
const char *chosen(struct entry *, int);
