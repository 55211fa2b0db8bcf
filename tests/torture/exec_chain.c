// Replaces itself a hundred times, by every member of exec's family, and hands what is left on as its argument.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include "must.h"

extern char **environ;

int main(int argc, char **argv)
{
    int left = argc > 1 ? atoi(argv[1]) : 100;
    void *volatile block = malloc(1000);
    free(block);
    // A descriptor that every image inherits, and one that none does.
    if (argc <= 1)
        MUST(open("/dev/null", O_RDONLY) == 3);
    MUST(fcntl(3, F_GETFD) == 0);
    MUST(open("/dev/null", O_RDONLY | O_CLOEXEC) == 4);
    if (left == 0) {
        printf("replaced 100 times\ncall.open=102\ncall.execv=20\ncall.execve=20\ncall.execvp=20\ncall.execl=20\ncall.execle=20\n");
        return 0;
    }
    char number[20];
    snprintf(number, sizeof number, "%d", left - 1);
    char *const arguments[] = {argv[0], number, NULL};
    switch (left % 5) {
    case 0: execv("/proc/self/exe", arguments); break;
    case 1: execve("/proc/self/exe", arguments, environ); break;
    case 2: execvp("/proc/self/exe", arguments); break;
    case 3: execl("/proc/self/exe", argv[0], number, (char *)NULL); break;
    case 4: execle("/proc/self/exe", argv[0], number, (char *)NULL, environ); break;
    }
    MUST(!"exec returned");
}
