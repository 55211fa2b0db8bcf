// Counts its own descriptor calls: counts_fd THREADS ITERATIONS DIRECTORY.
//
// `opened` and `closed` count descriptors, not calls: a pipe opens two, dup2 onto an open number
// opens one and closes one, dup2 onto itself does neither.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include "say.h"

enum { MOST_THREADS = 64, FREE_NUMBER = 800 };

struct calls {
    long open, openat, creat, close, dup, dup2, dup3, fcntl, pipe, pipe2, socketpair, socket, eventfd;
    long epoll_create1, timerfd_create, memfd_create, fopen, fclose, opendir, closedir, close_range;
    long opened, closed;
};

static struct calls counted[MOST_THREADS];
static int iterations;
static const char *directory;
static pthread_barrier_t barrier;

static int got(struct calls *calls, int fd)
{
    if (fd < 0)
        fail("a descriptor that should be made");
    calls->opened++;
    return fd;
}

static void shut(struct calls *calls, int fd)
{
    calls->close++;
    calls->closed++;
    if (close(fd))
        fail("close");
}

static void copies(struct calls *calls, int fd, int unused)
{
    calls->dup++;
    int copy = got(calls, dup(fd));
    calls->fcntl += 3;
    int from_fcntl = got(calls, fcntl(fd, F_DUPFD, 0));
    int cloexec = got(calls, fcntl(fd, F_DUPFD_CLOEXEC, 10));
    if (fcntl(fd, F_GETFD) < 0)
        fail("F_GETFD");
    calls->dup2 += 4;
    if (dup2(fd, copy) != copy) // onto an open number
        fail("dup2 onto an open number");
    calls->opened++, calls->closed++;
    if (dup2(fd, fd) != fd) // onto itself
        fail("dup2 onto itself");
    got(calls, dup2(fd, unused)); // onto a free number
    if (dup2(-1, unused) != -1)   // fails, and leaves the number open
        fail("dup2 of nothing");
    calls->dup3++;
    if (dup3(fd, unused, O_CLOEXEC) != unused)
        fail("dup3");
    calls->opened++, calls->closed++;
    shut(calls, copy);
    shut(calls, from_fcntl);
    shut(calls, cloexec);
    calls->close_range++;
    calls->closed++;
    if (close_range((unsigned)unused, (unsigned)unused, 0))
        fail("close_range");
}

static void kernel_objects(struct calls *calls)
{
    int pair[2];
    calls->pipe++;
    if (pipe(pair))
        fail("pipe");
    calls->opened += 2;
    shut(calls, pair[0]), shut(calls, pair[1]);
    calls->pipe2++;
    if (pipe2(pair, O_CLOEXEC))
        fail("pipe2");
    calls->opened += 2;
    shut(calls, pair[0]), shut(calls, pair[1]);
    calls->socketpair++;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
        fail("socketpair");
    calls->opened += 2;
    shut(calls, pair[0]), shut(calls, pair[1]);
    calls->socket++;
    shut(calls, got(calls, socket(AF_UNIX, SOCK_DGRAM, 0)));
    calls->eventfd++;
    shut(calls, got(calls, eventfd(0, 0)));
    calls->epoll_create1++;
    shut(calls, got(calls, epoll_create1(0)));
    calls->timerfd_create++;
    shut(calls, got(calls, timerfd_create(CLOCK_MONOTONIC, 0)));
    calls->memfd_create++;
    shut(calls, got(calls, memfd_create("counted", 0)));
}

static void work(struct calls *calls, int me)
{
    char path[4096];
    calls->open += 2;
    int null = got(calls, open("/dev/null", O_RDWR));
    if (open("/no/such/file", O_RDONLY) >= 0)
        fail("a missing file was opened");
    calls->openat++;
    shut(calls, got(calls, openat(AT_FDCWD, "/dev/zero", O_RDONLY)));
    snprintf(path, sizeof path, "%s/created-%d", directory, me);
    calls->creat++;
    shut(calls, got(calls, creat(path, 0600)));
    copies(calls, null, FREE_NUMBER + me);
    kernel_objects(calls);
    calls->fopen++, calls->opened++;
    FILE *stream = fopen("/dev/null", "r");
    if (!stream)
        fail("fopen");
    calls->fclose++, calls->closed++;
    fclose(stream);
    calls->opendir++, calls->opened++;
    DIR *listing = opendir("/");
    if (!listing)
        fail("opendir");
    calls->closedir++, calls->closed++;
    closedir(listing);
    shut(calls, null);
    calls->close++;
    if (close(-1) != -1 || errno != EBADF)
        fail("close of nothing");
}

static void *thread(void *argument)
{
    int me = (int)(intptr_t)argument;
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < iterations; i++)
        work(&counted[me], me);
    pthread_barrier_wait(&barrier);
    return NULL;
}

int main(int argc, char **argv)
{
    int threads = atoi(argv[1]);
    iterations = atoi(argv[2]);
    directory = argv[3];
    if (argc != 4 || threads > MOST_THREADS)
        fail("usage");
    pthread_t id[MOST_THREADS];
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&id[i], NULL, thread, (void *)(intptr_t)i))
            fail("pthread_create");
    for (int i = 0; i < threads; i++)
        pthread_join(id[i], NULL);
    struct calls sum = {0};
    for (int i = 0; i < threads; i++)
        for (size_t field = 0; field < sizeof sum / sizeof(long); field++)
            ((long *)&sum)[field] += ((long *)&counted[i])[field];
#define SAY(name) say("call." #name, sum.name)
    SAY(open), SAY(openat), SAY(creat), SAY(close), SAY(dup), SAY(dup2), SAY(dup3), SAY(fcntl);
    SAY(pipe), SAY(pipe2), SAY(socketpair), SAY(socket), SAY(eventfd), SAY(epoll_create1);
    SAY(timerfd_create), SAY(memfd_create), SAY(fopen), SAY(fclose), SAY(opendir), SAY(closedir);
    SAY(close_range);
    say("descriptors.opened", sum.opened);
    say("descriptors.closed", sum.closed);
    return 0;
}
