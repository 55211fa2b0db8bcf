// Makes COUNT allocations and opens two files, then ends in one way: endings MODE COUNT.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include "say.h"

static void *volatile last;
static int *volatile nowhere;

static pthread_t leader;

static void *rest_of_a_thread(void *unused)
{
    pthread_join(leader, NULL);
    exit(5);
    return unused;
}

static void *exit_at_once(void *unused)
{
    exit(5);
    return unused;
}

static void end(const char *mode)
{
    if (!strcmp(mode, "kill"))
        raise(SIGKILL);
    if (!strcmp(mode, "terminate"))
        raise(SIGTERM);
    if (!strcmp(mode, "abort"))
        abort();
    if (!strcmp(mode, "segv"))
        *nowhere = 1;
    if (!strcmp(mode, "trap"))
        raise(SIGTRAP);
    if (!strcmp(mode, "return"))
        return;
    if (!strcmp(mode, "exit"))
        exit(7);
    if (!strcmp(mode, "_exit"))
        _exit(9);
    if (!strcmp(mode, "quick_exit"))
        quick_exit(11);
    if (!strcmp(mode, "leader_first")) {
        pthread_t id;
        leader = pthread_self();
        pthread_create(&id, NULL, rest_of_a_thread, NULL);
        pthread_exit(NULL);
    }
    if (!strcmp(mode, "leader_together")) { // both at one time, and nobody knows who is last
        pthread_t id;
        pthread_create(&id, NULL, exit_at_once, NULL);
        pthread_exit(NULL);
    }
    fail("usage");
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage");
    int count = atoi(argv[2]);
    for (int i = 0; i < count; i++)
        last = malloc(32);
    if (open("/etc/passwd", O_RDONLY) < 0 || open("/dev/null", O_WRONLY) < 0)
        fail("open");
    end(argv[1]);
    return 0;
}
