// Does what the tracer has to stop for, in two threads and in children, then writes a marker: endure ROUNDS MARKER.
//
// What it prints depends on ROUNDS only. ROUNDS of 0 has no end.
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "say.h"

static int rounds;

static void work(void)
{
    FILE *stream = fopen("/dev/null", "r");
    int raw = (int)syscall(SYS_openat, AT_FDCWD, "/dev/zero", O_RDONLY);
    int wrapped = open("/dev/null", O_RDONLY);
    char *large = malloc(1 << 18);
    if (!stream || raw < 0 || wrapped < 0 || !large)
        fail("work");
    free(large);
    if (fclose(stream) || syscall(SYS_close, raw) || close(wrapped))
        fail("the end of work");
}

static void *works(void *unused)
{
    for (int round = 0; round < rounds; round++)
        work();
    return unused;
}

static void child_works(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        work();
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
        fail("a child");
}

int main(int argc, char **argv)
{
    if (argc != 3)
        fail("usage");
    rounds = atoi(argv[1]);
    pthread_t other;
    if (pthread_create(&other, NULL, works, NULL))
        fail("pthread_create");
    for (int round = 0; round < rounds || rounds == 0; round++) {
        work();
        if (round % 20 == 0) {
            child_works();
            say("round", round);
        }
    }
    pthread_join(other, NULL);
    int marker = open(argv[2], O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (marker < 0 || write(marker, "done", 4) != 4)
        fail("marker");
    say("finished", rounds);
    return 3;
}
