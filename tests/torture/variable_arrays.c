// alloca and arrays of variable length, with calls between them that find the stack pointer anywhere.
#include <alloca.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static long filled(int depth, int size)
{
    char array[size];
    char *more = sunk(alloca((size_t)size + 1));
    memset(sunk(array), depth, (size_t)size);
    void *block = malloc((size_t)size);
    memset(more, ~depth, (size_t)size + 1);
    int fd = open("/dev/null", O_RDONLY);
    memcpy(block, array, (size_t)size);
    long below = depth ? filled(depth - 1, size * 3 % 1009 + 1) : 0;
    for (int at = 0; at < size; at++)
        EXPECT(array[at] == (char)depth && more[at] == (char)~depth && ((char *)block)[at] == (char)depth);
    free(block);
    EXPECT(close(fd) == 0);
    return below + size;
}

int main(void)
{
    printf("%ld bytes\n", filled(99, 17));
    printf("call.malloc=100\ncall.free=100\ncall.open=100\ncall.close=100\n");
    return 0;
}
