// Forbids itself every system call but write, exit and those that the allocator makes, then allocates
// from places it has not called before, a little deeper each time, also through a library's function.
#include "../torture/sandbox.h"

static long blocks;

static __attribute__((noinline)) void take(size_t bytes)
{
    char *block = malloc(bytes);
    block[0] = 1;
    blocks++;
    free(block);
}

static __attribute__((noinline)) void deeper(int levels)
{
    volatile char frame[500];
    frame[levels] = 1;
    take((size_t)levels + frame[levels]);
    if (levels > 0)
        deeper(levels - 1);
    frame[0] = 2;
}

static int compare(const void *one, const void *other)
{
    take(60);
    return *(const int *)one - *(const int *)other;
}

int main(void)
{
    enter_sandbox();
    int numbers[50];
    for (int i = 0; i < 50; i++)
        numbers[i] = i * 7 % 50;
    qsort(numbers, 50, sizeof *numbers, compare);
    deeper(30);
    char said[60];
    int length = snprintf(said, sizeof said, "blocks=%ld\n", blocks);
    return write(1, said, (size_t)length) == length ? 0 : 3;
}
