// Real-time signals come all, in the order sent, each with its value; blocked ones wait; sigwaitinfo takes them.
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include "must.h"

static volatile int values[200];
static volatile sig_atomic_t count;

static void on_signal(int number, siginfo_t *info, void *unused)
{
    (void)unused;
    MUST(number == SIGRTMIN + 2 && info->si_code == SI_QUEUE && info->si_pid == getpid() && info->si_uid == getuid());
    values[count++] = info->si_value.sival_int;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    MUST(!sigaction(SIGRTMIN + 2, &action, NULL));
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 2);
    sigaddset(&set, SIGRTMIN + 5);
    MUST(!sigprocmask(SIG_BLOCK, &set, &old));
    for (int i = 0; i < 100; i++) {
        MUST(!sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = i}));
        MUST(!sigqueue(getpid(), SIGRTMIN + 5, (union sigval){.sival_int = -i}));
    }
    MUST(count == 0);
    sigset_t later;
    sigemptyset(&later);
    sigaddset(&later, SIGRTMIN + 5);
    siginfo_t info;
    for (int i = 0; i < 100; i++)
        MUST(sigwaitinfo(&later, &info) == SIGRTMIN + 5 && info.si_value.sival_int == -i);
    struct timespec none = {0, 0};
    MUST(sigtimedwait(&later, &info, &none) == -1 && errno == EAGAIN);
    MUST(!sigprocmask(SIG_SETMASK, &old, NULL));
    MUST(count == 100);
    for (int i = 0; i < 100; i++)
        MUST(values[i] == i);
    printf("all came\n");
    return 0;
}
