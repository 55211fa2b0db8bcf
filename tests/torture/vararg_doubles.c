// Variadic calls with doubles: the count of vector registers in al, and more doubles than there are registers.
//
// torture: libraries -lm
// torture: plugin vararg_sum.c
// torture: builds product
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int own_format(char *out, size_t room, const char *form, ...)
{
    va_list list;
    va_start(list, form);
    int length = vsnprintf(out, room, form, list);
    va_end(list);
    return length;
}

int main(int argc, char **argv)
{
    (void)argc;
    char path[4096], text[256];
    volatile double x = 1.5;
    long snprintfs = 1;
    snprintf(path, sizeof path, "%s/vararg_sum.so", argv[1]);
    void *plugin = dlopen(path, RTLD_NOW);
    double (*sum)(int, ...) = plugin ? dlsym(plugin, "sum") : NULL;
    if (!sum) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    for (int i = 0; i < 10; i++) {
        snprintf(text, sizeof text, "%.1f %d %.2f %s %.3e %.1f %.1f %.1f %.1f %.1f %.1f %ld %.1f", x, i, x * 2, "text", x * 3,
                 x * 4, x * 5, x * 6, x * 7, x * 8, x * 9, 1L << 40, x * 10);
        snprintfs++;
    }
    puts(text);
    own_format(text, sizeof text, "%g %g %g %g %g %g %g %g %g %g %i", x, x, x, x, x, x, x, x, x + 1, x + 2, 7);
    puts(text);
    printf("sum of 12: %.2f\n", sum(12, x, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0));
    printf("sum of 0: %.2f\n", sum(0));
    dlclose(plugin);
    printf("call.snprintf=%ld\ncall.puts=2\ncall.dlopen=1\ncall.dlclose=1\n", snprintfs);
    return 0;
}
