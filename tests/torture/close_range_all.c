// Closes every descriptor from 3 on with close_range and with a loop, and goes on.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include "must.h"

int main(void)
{
    int one = open("/dev/null", O_RDONLY), other = dup(one);
    printf("opened %d %d\n", one, other);
    MUST(close_range(3, ~0U, 0) == 0);
    MUST(fcntl(one, F_GETFD) == -1 && errno == EBADF);
    one = open("/dev/null", O_RDONLY);
    printf("opened %d\n", one);
    // Once more behind the hooks' back.
    MUST(syscall(SYS_close_range, 3U, ~0U, 0U) == 0);
    MUST(fcntl(one, F_GETFD) == -1 && errno == EBADF);
    for (int fd = 3; fd < 1024; fd++)
        MUST(close(fd) == -1 && errno == EBADF);
    void *volatile blocks[100];
    for (int i = 0; i < 100; i++)
        MUST((blocks[i] = malloc(100)));
    for (int i = 0; i < 100; i++)
        free(blocks[i]);
    int ends[2];
    MUST(!pipe(ends));
    printf("pipe %d %d\n", ends[0], ends[1]);
    MUST(close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0);
    MUST(fcntl(ends[0], F_GETFD) == FD_CLOEXEC && fcntl(ends[1], F_GETFD) == FD_CLOEXEC);
    printf("call.close_range=2\ncall.pipe=1\ncall.dup=1\ncall.close=1021\n");
    return 0;
}
