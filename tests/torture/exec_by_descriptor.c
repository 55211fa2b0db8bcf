// Replaces itself by a descriptor of its own file: fexecve and execveat.
//
// torture: builds one
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include "must.h"

extern char **environ;

int main(int argc, char **argv)
{
    int left = argc > 1 ? atoi(argv[1]) : 20;
    void *volatile block = malloc(1000);
    free(block);
    if (left == 0) {
        printf("replaced 20 times\n");
        return 0;
    }
    char number[20];
    snprintf(number, sizeof number, "%d", left - 1);
    char *const arguments[] = {argv[0], number, NULL};
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    MUST(self == 3);
    if (left % 2)
        fexecve(self, arguments, environ);
    else
        execveat(self, "", arguments, environ, AT_EMPTY_PATH);
    MUST(!"exec returned");
}
