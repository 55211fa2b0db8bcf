// A strict sandbox in which a timer's handler interrupts allocations with a tapped call of its own.
//
// torture: loses 5000
#include <signal.h>
#include <sys/time.h>
#include "sandbox.h"

static volatile int handled;

static void raised(int number)
{
    (void)number;
    int before = errno;
    // Nobody has it.
    if (close(-1) != -1 || errno != EBADF)
        _exit(3);
    handled++;
    errno = before;
}

int main(void)
{
    struct sigaction action = {.sa_handler = raised, .sa_flags = SA_RESTART};
    struct itimerval every = {{0, 300}, {0, 300}};
    MUST(!sigaction(SIGALRM, &action, NULL));
    MUST(!setitimer(ITIMER_REAL, &every, NULL));
    ENTER_SANDBOX(ALLOW(SYS_close), ALLOW(SYS_rt_sigreturn), ALLOW(SYS_restart_syscall), ALLOW(SYS_setitimer),);
    while (handled < 500) {
        void *volatile block = malloc(100);
        if (!block)
            _exit(2);
        free(block);
    }
    struct itimerval never = {{0, 0}, {0, 0}};
    if (setitimer(ITIMER_REAL, &never, NULL))
        _exit(4);
    static const char said[] = "interrupted in a sandbox\n";
    return write(1, said, sizeof said - 1) != sizeof said - 1;
}
