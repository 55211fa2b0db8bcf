// Closes with closefrom, as daemons do, from 3 on and from 0 on, and goes on without standard output.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include "must.h"

int main(void)
{
    for (int i = 0; i < 50; i++)
        MUST(dup(1) == 3 + i);
    closefrom(3);
    MUST(dup(1) == 3);
    printf("closed from 3\ncall.closefrom=2\ncall.dup=51\n");
    MUST(!fflush(stdout));
    closefrom(0);
    for (int fd = 0; fd < 10; fd++)
        MUST(fcntl(fd, F_GETFD) == -1 && errno == EBADF);
    if (open("/dev/null", O_RDWR) != 0)
        return 3;
    void *volatile block = malloc(1000);
    free(block);
    return 0;
}
