// Handlers of SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGTRAP that mend what was wrong, after which the program goes on.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

enum { PAGES = 100, PAGE = 4096 };
static long faults[65];
static int file;

static void mend(int number, siginfo_t *information, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    char *page = (char *)((unsigned long)information->si_addr & -4096UL);
    int failed = 0;
    if (number == SIGSEGV)
        failed = mprotect(page, PAGE, PROT_READ | PROT_WRITE);
    else if (number == SIGBUS)
        failed = ftruncate(file, PAGE);
    else if (number == SIGFPE)
        registers[REG_RCX] = 1;
    else if (number == SIGILL)
        registers[REG_RIP] += 2;
    faults[number] += failed == 0;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = mend, .sa_flags = SA_SIGINFO};
    int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (int i = 0; i < 5; i++)
        sigaction(numbers[i], &action, NULL);
    char *pages = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < PAGES; i++) {
        // Written by the program, by library functions, and refused by the kernel.
        char *page = pages + i * PAGE, *volatile to = page + 8;
        if (i % 4 == 0)
            *to = 'x';
        else if (i % 4 == 1)
            memcpy(to, "x and more", 11);
        else if (i % 4 == 2)
            snprintf(to, 100, "%c %d", 'x', i);
        else
            strcpy(to, "x");
        EXPECT(*to == 'x');
    }
    EXPECT(faults[SIGSEGV] == PAGES);
    int zero = open("/dev/zero", O_RDONLY);
    mprotect(pages, PAGE, PROT_NONE);
    EXPECT(read(zero, pages, 1) == -1 && faults[SIGSEGV] == PAGES);
    for (int i = 0; i < 50; i++) {
        file = memfd_create("short", MFD_CLOEXEC);
        char *mapped = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
        EXPECT(*(volatile char *)mapped == 0);
        munmap(mapped, PAGE);
        EXPECT(close(file) == 0);
        long quotient = 10, divisor = 0, rest = 0;
        __asm__ volatile("idiv %1" : "+a"(quotient), "+c"(divisor), "+d"(rest));
        __asm__ volatile("ud2");
        __asm__ volatile("int3");
        EXPECT(quotient == 10 && divisor == 1);
    }
    for (int i = 0; i < 5; i++)
        printf("signal %d: %ld times\n", numbers[i], faults[numbers[i]]);
    printf("descriptors %d %d\ncall.mprotect=%d\ncall.memfd_create=50\ncall.close=50\ncall.open=1\n", zero, file, PAGES + 1);
    printf("call.ftruncate=50\n");
    return 0;
}
