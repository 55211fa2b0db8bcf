// Leaks descriptors in one way, or does the same without the fault: planted MODE fault|clean.
//
// The line that makes the descriptors that are left is marked LEAK with the mode. Prints `left=N`, how many.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "say.h"

enum { ROUNDS = 20, THREADS = 8, UNLUCKY = 5 };

static int faulty;

static int must(int result, const char *what)
{
    if (result < 0)
        fail(what);
    return result;
}

// A header is checked, and on the way out of the bad case nobody closes.
static int checked(int good)
{
    int fd = must(open("/etc/passwd", O_RDONLY | O_CLOEXEC), "open"); // LEAK error_path
    if (!good) {
        if (!faulty)
            close(fd);
        return -1;
    }
    close(fd);
    return 0;
}

static int error_path(void)
{
    int bad = 0;
    for (int i = 0; i < ROUNDS; i++)
        bad += checked(i % 4 != 0) < 0;
    return bad;
}

static void *worker(void *argument)
{
    int me = (int)(intptr_t)argument;
    for (int i = 0; i < ROUNDS; i++) {
        int fd = must(open("/dev/null", O_RDONLY | O_CLOEXEC), "open"); // LEAK one_thread
        if (me != UNLUCKY || i != ROUNDS / 2 || !faulty)
            close(fd);
    }
    return NULL;
}

static int one_thread(void)
{
    pthread_t id[THREADS];
    for (int i = 0; i < THREADS; i++)
        must(-pthread_create(&id[i], NULL, worker, (void *)(intptr_t)i), "pthread_create");
    for (int i = 0; i < THREADS; i++)
        pthread_join(id[i], NULL);
    return 1;
}

// A service on a socket of its own, asked ROUNDS times; the fourth of each five is not hung up.
static int socket_per_request(void)
{
    struct sockaddr name = {.sa_family = AF_UNIX};
    socklen_t length = sizeof name;
    char address[200];
    int listener = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    must(bind(listener, &name, sizeof(sa_family_t)), "bind");
    must(listen(listener, ROUNDS), "listen");
    length = sizeof address;
    must(getsockname(listener, (struct sockaddr *)address, &length), "getsockname");
    int left = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int client = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
        must(connect(client, (struct sockaddr *)address, length), "connect");
        int request = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept4"); // LEAK socket_per_request
        close(client);
        if (i % 5 != 3 || !faulty)
            close(request);
        else
            left++;
    }
    close(listener);
    return left;
}

static int stream(void)
{
    FILE *file = fopen("/etc/passwd", "re"); // LEAK stream
    if (!file || fgetc(file) == EOF)
        fail("fopen");
    if (!faulty)
        fclose(file);
    return 1;
}

static int directory(void)
{
    DIR *listing = opendir("/"); // LEAK directory
    if (!listing || !readdir(listing))
        fail("opendir");
    if (!faulty)
        closedir(listing);
    return 1;
}

static int copy(void)
{
    int fd = must(open("/dev/null", O_RDONLY | O_CLOEXEC), "open");
    int second = must(dup(fd), "dup"); // LEAK copy
    fcntl(second, F_SETFD, FD_CLOEXEC);
    close(fd);
    if (!faulty)
        close(second);
    return 1;
}

static int received(void)
{
    int pair[2], sent = must(open("/dev/null", O_RDONLY | O_CLOEXEC), "open");
    must(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), "socketpair");
    char byte = 'x', control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec vector = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &sent, sizeof sent);
    must((int)sendmsg(pair[0], &message, 0), "sendmsg");
    memset(control, 0, sizeof control);
    message.msg_controllen = sizeof control;
    must((int)recvmsg(pair[1], &message, MSG_CMSG_CLOEXEC), "recvmsg"); // LEAK received
    int arrived;
    memcpy(&arrived, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof arrived);
    close(sent), close(pair[0]), close(pair[1]);
    if (!faulty)
        close(arrived);
    return 1;
}

static int raw(void)
{
    long fd = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC); // LEAK raw
    must((int)fd, "openat");
    if (!faulty)
        syscall(SYS_close, fd);
    return 1;
}

// Where the kernel does not let us have one, `left` is 0 with the fault too.
static int ring(void)
{
    uint32_t parameters[30] = {0}; // struct io_uring_params, which older headers lack
    long fd = syscall(SYS_io_uring_setup, 4, parameters); // LEAK ring
    if (fd < 0)
        return 0;
    if (!faulty)
        close((int)fd);
    return 1;
}

// One more each few milliseconds, and no end in sight.
static int growing(void)
{
    int count = 200;
    for (int i = 0; i < count; i++) {
        int fd = must(open("/dev/null", O_RDONLY | O_CLOEXEC), "open"); // LEAK growing
        usleep(2000);
        if (!faulty)
            close(fd);
    }
    return count;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } modes[] = {
        {"error_path", error_path}, {"one_thread", one_thread}, {"socket_per_request", socket_per_request}, {"stream", stream}, {"directory", directory}, {"copy", copy},
        {"received", received}, {"raw", raw}, {"ring", ring}, {"growing", growing},
    };
    if (argc != 3)
        fail("usage");
    faulty = !strcmp(argv[2], "fault");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(argv[1], modes[i].name)) {
            int left = modes[i].run();
            say("left", faulty ? left : 0);
            return 0;
        }
    fail("usage");
}
