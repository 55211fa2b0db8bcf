// Handlers that make tapped calls on an alternate stack with 4 KiB beside what the kernel's own frame takes.
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

enum { PAGE = 4096 };
static volatile long handled, unsound;

static void work(int number)
{
    (void)number;
    void *block = sunk(malloc(100));
    int ends[2], fd = open("/dev/null", O_RDONLY);
    unsound += !block || fd != 3 || close(fd) != 0 || pipe(ends) != 0 || close(ends[0]) != 0 || close(ends[1]) != 0;
    free(block);
    handled++;
}

int main(void)
{
    // Rounded up to whole pages, of which the lowest is for nobody.
    size_t frame = ((size_t)sysconf(_SC_MINSIGSTKSZ) + PAGE - 1) / PAGE * PAGE, size = frame + PAGE;
    char *area = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(area != MAP_FAILED && mprotect(area, PAGE, PROT_NONE) == 0);
    stack_t own = {.ss_sp = area + PAGE, .ss_size = size};
    EXPECT(sigaltstack(&own, NULL) == 0);
    struct sigaction action = {.sa_handler = work, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    // The loader binds lazily with more stack than that, and glibc sets up its heap.
    work(0);
    for (int i = 0; i < 100; i++)
        EXPECT(raise(SIGUSR1) == 0);
    EXPECT(handled == 101 && unsound == 0);
    printf("call.malloc=101\ncall.free=101\ncall.open=101\ncall.close=303\ncall.pipe=101\n");
    return 0;
}
