// A variadic function in an object of its own.
#include <stdarg.h>

double sum(int count, ...)
{
    double total = 0;
    va_list list;
    va_start(list, count);
    while (count-- > 0)
        total += va_arg(list, double);
    va_end(list);
    return total;
}
