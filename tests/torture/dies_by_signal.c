// Children die by each deadly signal, sent and caused by a fault; the statuses are the kernel's, and so is its own end.
//
// torture: ends SIGSEGV
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "must.h"

static volatile int *volatile nowhere = (volatile int *)8;

int main(void)
{
    MUST(!setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}));
    const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1, SIGSEGV,
                           SIGPIPE, SIGALRM, SIGTERM, SIGXCPU, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSYS};
    int forks = 0, status;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++, forks++) {
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0) {
            raise(signals[i]);
            _exit(1);
        }
        MUST(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
    }
    for (int fault = 0; fault < 4; fault++, forks++) {
        pid_t child = fork();
        if (child == 0) {
            volatile int zero = 0;
            switch (fault) {
            case 0: *nowhere = 1; break;
            case 1: __asm__ volatile("ud2"); break;
            case 2: __asm__ volatile("int3"); break;
            case 3: __asm__ volatile("idivl %0" : : "m"(zero), "a"(1), "d"(0)); break;
            }
            _exit(1);
        }
        const int expected[] = {SIGSEGV, SIGILL, SIGTRAP, SIGFPE};
        MUST(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == expected[fault]);
    }
    printf("call.fork=%d\n", forks);
    fflush(stdout);
    *nowhere = 1;
    return 0;
}
