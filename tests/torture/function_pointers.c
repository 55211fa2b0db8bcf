// Addresses of functions are the same wherever they are taken, in the program and in a library, and can be called.
//
// torture: linked pointers_library.c
// torture: libraries -ldl
// torture: builds product
// torture: except run-got-main "and other objects' slots hold" hooks stand in the slots of the objects that are chosen only
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include "check.h"

typedef void any(void);
any *address_of(int which);
int calls_it(any *printf_like, const char *word);

int main(void)
{
    any *own[] = {(any *)malloc, (any *)free, (any *)printf, (any *)open, (any *)close, (any *)qsort};
    const char *names[] = {"malloc", "free", "printf", "open", "close", "qsort"};
    for (int i = 0; i < 6; i++) {
        EXPECT(own[i] == address_of(i));
        printf("%s is equal\n", names[i]);
    }
    // Through the pointers it is the same function, too.
    void *(*allocate)(size_t) = (void *(*)(size_t))address_of(0);
    void (*release)(void *) = (void (*)(void *))dlsym(RTLD_DEFAULT, "free");
    for (int i = 0; i < 10; i++)
        release(sunk(allocate(100)));
    fflush(stdout);
    EXPECT(calls_it(own[2], "called from there\n") == 18);
    printf("call.address_of=7\ncall.calls_it=1\ncall.fflush=1\n");
    return 0;
}
