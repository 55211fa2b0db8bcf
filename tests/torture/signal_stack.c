// Handlers on a stack of their own (sigaltstack) that make tapped calls, also after the main stack is used up.
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"

static char *stack;
static size_t size;
static volatile long handled, unsound;
static sigjmp_buf out;

static void work(void)
{
    char here, text[64];
    unsound += &here < stack || &here >= stack + size;
    char *block = sunk(malloc(1000));
    memset(block, 7, 1000);
    int fd = open("/dev/null", O_WRONLY);
    snprintf(text, sizeof text, "%d %.1f", fd, 1.5);
    unsound += strcmp(text, "3 1.5") != 0 || write(fd, block, 1000) != 1000 || close(fd) != 0;
    free(block);
    handled++;
}

static void raised(int number) { (void)number, work(); }

static void overflowed(int number)
{
    (void)number;
    work();
    siglongjmp(out, 1);
}

static int deeper(volatile char *above)
{
    volatile char frame[4096];
    frame[0] = frame[4095] = *above;
    return deeper(frame) + frame[0];
}

int main(void)
{
    size = (size_t)sysconf(_SC_MINSIGSTKSZ) + 16384;
    stack = malloc(size);
    stack_t own = {.ss_sp = stack, .ss_size = size}, old;
    EXPECT(sigaltstack(&own, NULL) == 0);
    struct sigaction action = {.sa_handler = raised, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < 100; i++)
        EXPECT(raise(SIGUSR1) == 0);
    struct rlimit limit = {1 << 20, 1 << 20};
    EXPECT(setrlimit(RLIMIT_STACK, &limit) == 0);
    action.sa_handler = overflowed;
    sigaction(SIGSEGV, &action, NULL);
    for (volatile int i = 0; i < 5; i++) {
        volatile char top = 1;
        if (sigsetjmp(out, 1) == 0)
            deeper(&top);
    }
    EXPECT(sigaltstack(NULL, &old) == 0 && old.ss_sp == stack && old.ss_size == size);
    EXPECT(unsound == 0 && handled == 105);
    printf("call.malloc=106\ncall.free=105\ncall.open=105\ncall.close=105\n");
    return 0;
}
