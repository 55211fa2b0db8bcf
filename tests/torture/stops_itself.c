// Stops itself, with threads at work, until a child that it made before continues it.
//
// torture: libraries -pthread
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

static volatile int over;

static void *work(void *unused)
{
    (void)unused;
    while (!over) {
        void *volatile block = malloc(100);
        free(block);
    }
    return NULL;
}

// The state of a process in /proc/PID/stat: behind the name in parentheses.
static char state_of(pid_t pid)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *stat = fopen(path, "r");
    MUST(stat && fgets(text, sizeof text, stat));
    fclose(stat);
    return *(strrchr(text, ')') + 2);
}

int main(void)
{
    pid_t parent = getpid();
    int ends[2];
    MUST(!pipe2(ends, O_NONBLOCK));
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        close(ends[1]);
        // Until the parent says that it is done, or is gone.
        for (char byte; read(ends[0], &byte, 1) == -1; usleep(500)) {
            char state = state_of(parent);
            // What is traced and stopped is 't' in some kernels' words; a signal too many does no harm.
            if (state == 'T' || state == 't')
                MUST(!kill(parent, SIGCONT));
        }
        _exit(5);
    }
    close(ends[0]);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        MUST(!pthread_create(&threads[i], NULL, work, NULL));
    for (int i = 0; i < 5; i++)
        MUST(!raise(SIGSTOP));
    over = 1;
    close(ends[1]);
    for (int i = 0; i < 3; i++)
        MUST(!pthread_join(threads[i], NULL));
    int status;
    MUST(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 5);
    printf("went on\ncall.fork=1\n");
    return 0;
}
