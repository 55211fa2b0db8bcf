// Reads /proc/self/status, stat and limits: name, ids, threads, signals and groups are as without us.
//
// torture: libraries -pthread
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include "must.h"

// Lines that say what is the program's, not what watches it (TracerPid, NoNewPrivs, Seccomp), nor sizes (FDSize: the parent's table) or ids.
static const char *const wanted[] = {
    "Name:", "Umask:", "State:", "Uid:", "Gid:", "Groups:", "Threads:", "SigPnd:", "ShdPnd:", "SigBlk:",
    "SigIgn:", "SigCgt:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "CoreDumping:", "THP_enabled:",
};

static void *wait_there(void *barrier)
{
    pthread_barrier_wait(barrier);
    pthread_barrier_wait(barrier);
    return NULL;
}

static void print(void)
{
    char line[1024];
    FILE *status = fopen("/proc/self/status", "r");
    MUST(status);
    while (fgets(line, sizeof line, status))
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (!strncmp(line, wanted[i], strlen(wanted[i])))
                fputs(line, stdout);
    fclose(status);
    FILE *limits = fopen("/proc/self/limits", "r");
    MUST(limits);
    while (fgets(line, sizeof line, limits))
        fputs(line, stdout);
    fclose(limits);
}

int main(void)
{
    signal(SIGUSR1, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    MUST(!prctl(PR_SET_NAME, "renamed"));
    print();
    pthread_barrier_t barrier;
    pthread_t threads[5];
    pthread_barrier_init(&barrier, NULL, 6);
    for (int i = 0; i < 5; i++)
        MUST(!pthread_create(&threads[i], NULL, wait_there, &barrier));
    pthread_barrier_wait(&barrier);
    print();
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 5; i++)
        MUST(!pthread_join(threads[i], NULL));
    return 0;
}
