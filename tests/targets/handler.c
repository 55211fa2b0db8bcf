// A signal handler that allocates and opens, COUNT times, while the main thread allocates
// and rests for some `pause` instructions in turn: handler COUNT PAUSES.
//
// Linked with tolerant.c, whose malloc may be called from a handler.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "say.h"

static atomic_long handled, unsound;
static atomic_int finished;
static pthread_t main_thread;
static long wanted;

static void on_signal(int signal)
{
    int saved = errno;
    (void)signal;
    void *block = malloc(33);
    int fd = open("/dev/null", O_RDONLY);
    if (!block || fd < 0)
        unsound++;
    free(block);
    close(fd);
    errno = saved;
    handled++;
}

static void *sender(void *unused)
{
    for (long sent = 0; sent < wanted; sent++) {
        pthread_kill(main_thread, SIGUSR1);
        // One at a time, for signals of one kind do not queue; giving way if it takes long.
        for (int spin = 0; atomic_load(&handled) <= sent; spin++)
            spin < 100 ? __builtin_ia32_pause() : (void)sched_yield();
    }
    finished = 1;
    return unused;
}

int main(int argc, char **argv)
{
    wanted = argc == 3 ? atol(argv[1]) : 0;
    int pauses = argc == 3 ? atoi(argv[2]) : 0;
    main_thread = pthread_self();
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pthread_t id;
    if (pthread_create(&id, NULL, sender, NULL))
        fail("pthread_create");
    long rounds = 0;
    for (; !finished; rounds++) {
        char *block = malloc(77);
        block = realloc(block, 99);
        free(block);
        for (int i = 0; i < pauses; i++)
            __builtin_ia32_pause();
    }
    pthread_join(id, NULL);
    say("handled", handled);
    say("unsound", unsound);
    say("call.malloc", rounds + handled);
    say("call.realloc", rounds);
    say("call.free", rounds + handled);
    say("call.open", handled);
    say("call.close", handled);
    return 0;
}
