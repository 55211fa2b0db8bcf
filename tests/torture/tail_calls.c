// Tail calls: functions that jump to a library's, and chains of them between two objects.
//
// torture: linked tail_library.c
// torture: builds product
#include <fcntl.h>
#include <unistd.h>

#include "check.h"

long bounce(long left, long sum);

long back(long left, long sum) { return left ? bounce(left - 1, sum + left) : sum; }

__attribute__((noinline)) static void *allocate(size_t size) { return malloc(size); }
__attribute__((noinline)) static void release(void *block) { free(block); }
__attribute__((noinline)) static int shut(int fd) { return close(fd); }
__attribute__((noinline)) static int reveal(const char *path) { return open(path, O_RDONLY); }

int main(void)
{
    for (int i = 0; i < 50; i++) {
        release(sunk(allocate(50)));
        int fd = reveal("/dev/null");
        EXPECT(fd == 3 && shut(fd) == 0);
    }
    // Without optimisation each of them takes stack.
    for (int i = 0; i < 5; i++)
        EXPECT(back(10000, 0) == 10000L * 10001 / 2);
    printf("call.malloc=50\ncall.free=50\ncall.open=50\ncall.close=50\ncall.bounce=25000\n");
    return 0;
}
