// Signals interrupt slow calls as they must: EINTR without SA_RESTART, no trace of it with it.
//
// torture: libraries -pthread
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include "must.h"

static volatile sig_atomic_t handled;
static int ends[2];
static pthread_t reader;

static void on_signal(int number)
{
    (void)number;
    handled++;
}

// Sleeps in a read, as /proc says.
static int sleeps(pid_t tid)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)tid);
    FILE *file = fopen(path, "r");
    MUST(file && fgets(text, sizeof text, file));
    fclose(file);
    return *(strrchr(text, ')') + 2) == 'S';
}

static volatile pid_t reader_id;
static volatile long got;

static void *read_one(void *unused)
{
    char byte;
    reader_id = gettid();
    got = read(ends[0], &byte, 1) == 1 ? 1 : -errno;
    return unused;
}

static long interrupted(int flags)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = flags};
    MUST(!sigaction(SIGUSR1, &action, NULL));
    reader_id = 0;
    got = 0;
    int before = handled;
    MUST(!pthread_create(&reader, NULL, read_one, NULL));
    while (!reader_id || !sleeps(reader_id))
        usleep(500);
    MUST(!pthread_kill(reader, SIGUSR1));
    while (handled == before)
        usleep(500);
    MUST(write(ends[1], "x", 1) == 1); // Without SA_RESTART nobody reads it.
    MUST(!pthread_join(reader, NULL));
    char byte;
    if (got != 1)
        MUST(read(ends[0], &byte, 1) == 1);
    return got;
}

int main(void)
{
    MUST(!pipe(ends));
    for (int i = 0; i < 5; i++) {
        MUST(interrupted(0) == -EINTR);
        MUST(interrupted(SA_RESTART) == 1);
    }
    printf("handled %d\ncall.pipe=1\n", (int)handled);
    return 0;
}
