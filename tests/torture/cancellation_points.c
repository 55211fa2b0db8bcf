// Deferred cancellation in every tapped function that is a cancellation point: pending at its entry, or while it blocks.
//
// torture: libraries -pthread
// torture: loses 8
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static int quiet[2], full[2], talk[2], listener, caller, epoll, locked;
static char fifo[256], page[65536];
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static struct iovec part = {page, sizeof page};
static struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
static const struct timespec late = {1L << 32, 0};
static struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

static void unlock(void *held) { pthread_mutex_unlock(held); }

static void waits(int timed)
{
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(unlock, &mutex);
    for (;;)
        timed ? pthread_cond_timedwait(&condition, &mutex, &late) : pthread_cond_wait(&condition, &mutex);
    pthread_cleanup_pop(1);
}

#define FUNCTION(name, call) static void in_##name(void) { call; }
#define EACH(X) \
    X(read, (void)!read(quiet[0], page, 1)) X(readv, (void)!readv(quiet[0], &part, 1)) \
    X(write, (void)!write(full[1], page, sizeof page)) X(writev, (void)!writev(full[1], &part, 1)) \
    X(recv, recv(talk[0], page, 1, 0)) X(recvfrom, recvfrom(talk[0], page, 1, 0, NULL, NULL)) \
    X(recvmmsg, recvmmsg(talk[0], &(struct mmsghdr){message, 0}, 1, 0, NULL)) X(recvmsg, recvmsg(talk[0], &message, 0)) X(send, for (;;) send(talk[1], page, sizeof page, 0)) \
    X(sendto, for (;;) sendto(talk[1], page, sizeof page, 0, NULL, 0)) X(sendmsg, for (;;) sendmsg(talk[1], &message, 0)) \
    X(accept, accept(listener, NULL, NULL)) X(accept4, accept4(listener, NULL, NULL, SOCK_CLOEXEC)) \
    X(connect, connect(caller, (struct sockaddr *)&address, sizeof address)) \
    X(poll, poll(&(struct pollfd){quiet[0], POLLIN, 0}, 1, -1)) X(ppoll, ppoll(NULL, 0, &late, NULL)) \
    X(select, select(0, NULL, NULL, NULL, NULL)) X(pselect, pselect(0, NULL, NULL, NULL, NULL, NULL)) \
    X(epoll_wait, epoll_wait(epoll, &(struct epoll_event){0}, 1, -1)) \
    X(epoll_pwait, epoll_pwait(epoll, &(struct epoll_event){0}, 1, -1, NULL)) \
    X(open, open(fifo, O_RDONLY)) X(openat, openat(AT_FDCWD, fifo, O_WRONLY)) X(creat, creat(fifo, 0600)) \
    X(open64, open64(fifo, O_RDONLY)) X(openat64, openat64(AT_FDCWD, fifo, O_RDONLY)) X(creat64, creat64(fifo, 0600)) \
    X(fopen, fopen(fifo, "r")) \
    X(fcntl64, fcntl64(locked, F_OFD_SETLKW, &all)) X(fcntl, fcntl(locked, F_OFD_SETLKW, &all)) X(sem_wait, sem_wait(&semaphore)) \
    X(pthread_cond_wait, waits(0)) X(pthread_cond_timedwait, waits(1)) X(system, (void)!system("exec sleep 100"))
#define AT_ONCE(X) \
    X(close, close(-1)) X(fsync, fsync(-1)) X(fdatasync, fdatasync(-1)) X(pread, (void)!pread(-1, page, 1, 0)) \
    X(pwrite, (void)!pwrite(-1, page, 1, 0)) X(pread64, (void)!pread64(-1, page, 1, 0)) \
    X(pwrite64, (void)!pwrite64(-1, page, 1, 0)) X(opendir, opendir("/nowhere")) X(posix_openpt, posix_openpt(-1))
EACH(FUNCTION)
AT_ONCE(FUNCTION)

#define ROW(name, call) {#name, in_##name},
static const struct {
    const char *name;
    void (*function)(void);
} functions[] = {EACH(ROW) AT_ONCE(ROW)};
enum { COUNT = sizeof functions / sizeof *functions, AT_ONCES = 9 };

static sem_t ready, go;
static int cleaned, pending;

static void clean(void *block)
{
    free(block);
    cleaned++;
}

static void *victim(void *which)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_cleanup_push(clean, sunk(malloc(100)));
    sem_post(&ready);
    // With cancellation disabled this is none, so the request finds the thread here and waits for the call.
    if (pending)
        sem_wait(&go);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    functions[(long)which].function();
    pthread_cleanup_pop(1);
    return NULL;
}

static void cancel_in(long which)
{
    pthread_t thread;
    void *result;
    EXPECT(pthread_create(&thread, NULL, victim, (void *)which) == 0);
    sem_wait(&ready);
    if (!pending)
        usleep(1000);
    pthread_cancel(thread);
    if (pending)
        sem_post(&go);
    EXPECT(pthread_join(thread, &result) == 0);
    printf("%s: %s\n", functions[which].name, result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
}

static void prepare(void)
{
    EXPECT(pipe(quiet) == 0 && pipe2(full, O_NONBLOCK) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, talk) == 0);
    while (write(full[1], page, sizeof page) > 0)
        continue;
    fcntl(full[1], F_SETFL, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", getenv("TMPDIR"));
    snprintf(fifo, sizeof fifo, "%s/fifo", getenv("TMPDIR"));
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT(mkfifo(fifo, 0600) == 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0);
    epoll = epoll_create1(0);
    // Locked by another open file, for as long as this process is.
    int holder = open("/proc/self/exe", O_RDONLY), other;
    close(holder);
    char path[256];
    snprintf(path, sizeof path, "%s/lock", getenv("TMPDIR"));
    other = open(path, O_RDWR | O_CREAT, 0600);
    locked = open(path, O_RDWR);
    EXPECT(fcntl(other, F_OFD_SETLK, &all) == 0 && unlink(path) == 0);
    sem_init(&semaphore, 0, 0), sem_init(&ready, 0, 0), sem_init(&go, 0, 0);
    printf("descriptors %d %d %d %d %d %d %d\n", quiet[0], full[1], talk[0], listener, epoll, other, locked);
}

int main(void)
{
    prepare();
    pending = 1;
    EXPECT(listen(listener, 0) == 0);
    caller = socket(AF_UNIX, SOCK_STREAM, 0);
    for (long which = 0; which < COUNT; which++)
        cancel_in(which);
    pending = 0;
    for (long which = 0; which < COUNT - AT_ONCES; which++) {
        // What a thread before has connected is taken away, and what it has sent.
        if (strcmp(functions[which].name, "connect") == 0) {
            for (int i = 0; i < 2; i++) {
                int filler = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
                (void)!connect(filler, (struct sockaddr *)&address, sizeof address);
            }
        }
        cancel_in(which);
    }
    EXPECT(cleaned == 2 * COUNT - AT_ONCES);
    unlink(address.sun_path), unlink(fifo);
    int fd = open("/dev/null", O_RDONLY);
    printf("next descriptor %d\ncall.malloc=%d\ncall.free=%d\n", fd, cleaned, cleaned);
    return 0;
}
