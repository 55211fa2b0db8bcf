// Addresses that dlsym gives are those that the program takes itself, and dladdr knows whose they are.
//
// torture: linked pointers_library.c
// torture: libraries -ldl
// torture: builds product
// torture: except run-got* "addresses of tapped functions in tapped objects' slots are not those that dlsym gives" hooks stand in slots only
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
    // A library's own function by its own slot, as libraries do that want to know where they are; and libc's by that slot.
    EXPECT(dladdr((void *)address_of(7), &whose) != 0 && strcmp(whose.dli_sname, "address_of") == 0);
    EXPECT(strstr(whose.dli_fname, "pointers_library") != NULL);
    EXPECT(dladdr((void *)address_of(6), &whose) != 0 && strcmp(whose.dli_sname, "lfind") == 0);
    EXPECT(strstr(whose.dli_fname, "libc.so") != NULL && (any *)dlsym(self, "lfind") == address_of(6));
    dlclose(self);
    printf("call.dlopen=1\ncall.dlclose=1\ncall.dladdr=2\ncall.address_of=3\n");
    return 0;
}
