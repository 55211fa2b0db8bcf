// The 128 bytes below the stack pointer are the program's, while handlers make tapped calls.
//
// torture: repeat 5
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"

static volatile long handled;

static void alarmed(int number)
{
    (void)number;
    int fd = open("/dev/null", O_RDONLY);
    if (fd != 3 || close(fd) != 0)
        _exit(9);
    handled++;
}

int main(void)
{
    struct sigaction action = {.sa_handler = alarmed};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval storm = {{0, 500}, {0, 500}}, calm = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &storm, NULL);
    long disturbed = 0;
    while (handled < 100) {
        long different = 0, pattern = 0x5a5a00 + handled, rounds = 2000;
        __asm__ volatile("1: mov %1, -8(%%rsp)\nmov %1, -64(%%rsp)\nmov %1, -120(%%rsp)\nmov %1, -128(%%rsp)\n"
                         "pause\n"
                         "mov -8(%%rsp), %%rax\nxor %1, %%rax\nor %%rax, %0\n"
                         "mov -64(%%rsp), %%rax\nxor %1, %%rax\nor %%rax, %0\n"
                         "mov -120(%%rsp), %%rax\nxor %1, %%rax\nor %%rax, %0\n"
                         "mov -128(%%rsp), %%rax\nxor %1, %%rax\nor %%rax, %0\n"
                         "dec %2\njnz 1b\n"
                         : "+r"(different), "+r"(pattern), "+r"(rounds)
                         :
                         : "rax", "memory", "cc");
        disturbed += different != 0;
    }
    setitimer(ITIMER_REAL, &calm, NULL);
    EXPECT(disturbed == 0);
    puts("undisturbed");
    return 0;
}
