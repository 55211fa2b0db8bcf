// Variadic calls with doubles: the count of vector registers in al, and more doubles than there are registers.
//
// torture: linked vararg_sum.c
// torture: builds product
#include <stdarg.h>
#include <string.h>

#include "check.h"

double sum(int count, ...);

static int own_format(char *out, size_t room, const char *form, ...)
{
    va_list list;
    va_start(list, form);
    int length = vsnprintf(out, room, form, list);
    va_end(list);
    return length;
}

int main(void)
{
    char text[256];
    volatile double x = 1.5;
    long snprintfs = 0;
    for (int i = 0; i < 10; i++) {
        snprintf(text, sizeof text, "%.1f %d %.2f %s %.3e %.1f %.1f %.1f %.1f %.1f %.1f %ld %.1f", x, i, x * 2, "text", x * 3,
                 x * 4, x * 5, x * 6, x * 7, x * 8, x * 9, 1L << 40, x * 10);
        snprintfs++;
    }
    puts(text);
    EXPECT(strcmp(text, "1.5 9 3.00 text 4.500e+00 6.0 7.5 9.0 10.5 12.0 13.5 1099511627776 15.0") == 0);
    own_format(text, sizeof text, "%g %g %g %g %g %g %g %g %g %g %i", x, x, x, x, x, x, x, x, x + 1, x + 2, 7);
    puts(text);
    EXPECT(strcmp(text, "1.5 1.5 1.5 1.5 1.5 1.5 1.5 1.5 2.5 3.5 7") == 0);
    EXPECT(sum(12, x, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0) == 78.5);
    EXPECT(sum(0) == 0);
    printf("call.snprintf=%ld\ncall.vsnprintf=1\ncall.sum=2\n", snprintfs);
    return 0;
}
