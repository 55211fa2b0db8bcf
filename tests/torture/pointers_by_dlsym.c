// Addresses that dlsym gives are those that the program takes itself, and dladdr knows whose they are.
//
// torture: linked pointers_library.c
// torture: libraries -ldl
// torture: builds product
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

typedef void any(void);
any *address_of(int which);

int main(void)
{
    any *own[] = {(any *)malloc, (any *)free, (any *)printf, (any *)open, (any *)close, (any *)qsort};
    const char *names[] = {"malloc", "free", "printf", "open", "close", "qsort"};
    void *self = dlopen(NULL, RTLD_NOW);
    for (int i = 0; i < 6; i++) {
        EXPECT(own[i] == (any *)dlsym(RTLD_DEFAULT, names[i]));
        EXPECT(own[i] == (any *)dlsym(self, names[i]));
        printf("%s is equal\n", names[i]);
    }
    // Through the pointers it is the same function, too.
    void *(*allocate)(size_t) = (void *(*)(size_t))dlsym(RTLD_DEFAULT, "malloc");
    for (int i = 0; i < 10; i++)
        free(sunk(allocate(100)));
    Dl_info whose;
    EXPECT(dladdr((void *)own[5], &whose) != 0 && strcmp(whose.dli_sname, "qsort") == 0 && strstr(whose.dli_fname, "libc"));
    EXPECT(dladdr((void *)address_of, &whose) != 0 && strcmp(whose.dli_sname, "address_of") == 0);
    EXPECT(strstr(whose.dli_fname, "pointers_library") != NULL);
    dlclose(self);
    printf("call.dlopen=1\ncall.dlclose=1\ncall.dladdr=2\n");
    return 0;
}
