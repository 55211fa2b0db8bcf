// Timers by signal, by thread and by alarm, with allocations in what they run; each fires as often as set.
//
// torture: libraries -pthread -lrt
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include "must.h"

static sem_t fired;
static volatile sig_atomic_t signals, alarms;

static void on_signal(int number, siginfo_t *info, void *unused)
{
    (void)unused;
    int before = errno;
    if (number == SIGALRM)
        alarms++;
    else
        signals += info->si_code == SI_TIMER && info->si_value.sival_int == 55;
    sem_post(&fired);
    errno = before;
}

static void on_thread(union sigval value)
{
    void *volatile block = malloc(100);
    free(block);
    MUST(value.sival_int == 66);
    sem_post(&fired);
}

static void once(timer_t timer)
{
    struct itimerspec soon = {.it_value = {0, 200000}};
    MUST(!timer_settime(timer, 0, &soon, NULL));
    while (sem_wait(&fired))
        MUST(errno == EINTR);
}

int main(void)
{
    MUST(!sem_init(&fired, 0, 0));
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    MUST(!sigaction(SIGUSR1, &action, NULL) && !sigaction(SIGALRM, &action, NULL));
    struct sigevent by_signal = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 55};
    struct sigevent by_thread = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_thread,
                                 .sigev_value.sival_int = 66};
    timer_t one, other;
    MUST(!timer_create(CLOCK_MONOTONIC, &by_signal, &one) && !timer_create(CLOCK_REALTIME, &by_thread, &other));
    for (int i = 0; i < 10; i++) {
        once(one);
        once(other);
    }
    struct itimerval alarm = {.it_value = {0, 200}};
    for (int i = 0; i < 10; i++) {
        MUST(!setitimer(ITIMER_REAL, &alarm, NULL));
        while (sem_wait(&fired))
            MUST(errno == EINTR);
    }
    struct timespec rest = {0, 2000000}, left = {0, 0};
    MUST(!nanosleep(&rest, &left));
    MUST(!timer_delete(one) && !timer_delete(other));
    MUST(signals == 10 && alarms == 10);
    printf("signals %d, alarms %d\n", (int)signals, (int)alarms);
    return 0;
}
