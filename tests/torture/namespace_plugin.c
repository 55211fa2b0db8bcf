// Uses the C library of its own namespace.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int namespace_work(int rounds)
{
    int right = 0;
    for (int i = 0; i < rounds; i++) {
        char *volatile block = malloc((size_t)i + 1);
        int null = open("/dev/null", O_RDONLY);
        errno = 0;
        int failed = open("/nonexistent", O_RDONLY);
        right += block != NULL && null == 3 && failed == -1 && errno == ENOENT;
        close(null);
        free(block);
    }
    return right;
}
