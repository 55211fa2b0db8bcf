// Sets locales, formats numbers, compares and converts text, lists what the locale says.
#define _GNU_SOURCE
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <time.h>
#include <wchar.h>
#include "must.h"

int main(void)
{
    const char *const names[] = {"C", "POSIX", "C.UTF-8", "", "xx_XX.nowhere"};
    for (int i = 0; i < 5; i++) {
        const char *set = setlocale(LC_ALL, names[i]);
        printf("%s: %s %s point %s\n", names[i], set ? set : "(none)", nl_langinfo(CODESET), localeconv()->decimal_point);
        char text[100];
        struct tm when = {.tm_year = 100, .tm_mon = 1, .tm_mday = 29, .tm_wday = 2};
        strftime(text, sizeof text, "%A %d %B %Y %x", &when);
        printf("%s, %.3f, %'d\n", text, 1234.5678, 1234567);
        wchar_t wide[20];
        size_t length = mbstowcs(wide, "h\xc3\xa4", 20);
        printf("%zd characters, order %d\n", (ssize_t)length, strcoll("a", "B") > 0);
    }
    locale_t own = newlocale(LC_ALL_MASK, "C.UTF-8", NULL);
    MUST(own);
    locale_t before = uselocale(own);
    MUST(before);
    wchar_t *wide = wcsdup(L"wide");
    printf("%ls %d\n", wide, MB_CUR_MAX > 1);
    free(wide);
    uselocale(before);
    freelocale(own);
    printf("call.wcsdup=1\n");
    return 0;
}
