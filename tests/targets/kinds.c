// Opens one descriptor of each kind and leaves all open: kinds DIRECTORY.
//
// Prints `open.FD=KIND PATH` for each, in the words of the report; PATH is what was asked for, if anything.
// A copy is of the kind of what it is a copy of.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <mqueue.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include "say.h"

static void opened(int fd, const char *kind, const char *path)
{
    char key[32], value[4200];
    if (fd < 0)
        fail(kind);
    snprintf(key, sizeof key, "open.%d", fd);
    snprintf(value, sizeof value, "%s %s", kind, path);
    say_text(key, value);
}

static void files(const char *directory)
{
    char path[4096], template[4096];
    opened(open("/dev/null", O_RDONLY), "file", "/dev/null");
    opened(openat(AT_FDCWD, "/dev/zero", O_RDONLY), "file", "/dev/zero");
    snprintf(path, sizeof path, "%s/created", directory);
    opened(creat(path, 0600), "file", path);
    snprintf(template, sizeof template, "%s/XXXXXX", directory);
    int temporary = mkstemp(template);
    opened(temporary, "file", template);
    opened(fileno(fopen("/etc/passwd", "r")), "stream", "/etc/passwd");
    opened(fileno(tmpfile()), "stream", "");
    opened(fileno(popen("exit 0", "r")), "stream", "exit 0");
    opened(fileno(freopen("/dev/zero", "r", fopen("/dev/null", "r"))), "stream", "/dev/zero");
    opened(dirfd(opendir("/")), "directory", "/");
    int plain = open("/dev/null", O_RDONLY);
    if (!fdopen(plain, "r"))
        fail("fdopen");
    opened(plain, "file", "/dev/null");
}

static void pairs(void)
{
    int pair[2];
    if (pipe(pair))
        fail("pipe");
    opened(pair[0], "pipe", ""), opened(pair[1], "pipe", "");
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
        fail("socketpair");
    opened(pair[0], "socket", ""), opened(pair[1], "socket", "");
    if (openpty(&pair[0], &pair[1], NULL, NULL, NULL))
        fail("openpty");
    opened(pair[0], "pty", ""), opened(pair[1], "pty", "");
}

static void sockets(void)
{
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)) || listen(listener, 5)
        || getsockname(listener, (struct sockaddr *)&address, &length))
        fail("listen");
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(client, (struct sockaddr *)&address, length))
        fail("connect");
    opened(listener, "socket", ""), opened(client, "socket", "");
    opened(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "socket", "");
}

// Sends a descriptor to itself, once for recvmsg and once for recvmmsg.
static void messages(void)
{
    int pair[2], sent = open("/dev/null", O_RDONLY);
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
        fail("socketpair");
    for (int round = 0; round < 2; round++) {
        char byte = 'x', control[CMSG_SPACE(sizeof(int))] = {0};
        struct iovec vector = {&byte, 1};
        struct msghdr message = {
            .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(header), &sent, sizeof sent);
        if (sendmsg(pair[0], &message, 0) != 1)
            fail("sendmsg");
        memset(control, 0, sizeof control);
        message.msg_controllen = sizeof control;
        struct mmsghdr several = {.msg_hdr = message};
        int got = round ? recvmmsg(pair[1], &several, 1, 0, NULL) : (int)recvmsg(pair[1], &message, 0);
        int received;
        memcpy(&received, CMSG_DATA(CMSG_FIRSTHDR(round ? &several.msg_hdr : &message)), sizeof received);
        opened(got == 1 ? received : -1, "received", "");
    }
    close(sent), close(pair[0]), close(pair[1]);
}

static void kernel_objects(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    opened(epoll_create1(0), "epoll", "");
    opened(epoll_create(1), "epoll", "");
    opened(eventfd(0, 0), "eventfd", "");
    int signal_fd = signalfd(-1, &signals, 0);
    if (signalfd(signal_fd, &signals, 0) != signal_fd) // changes it, opens nothing
        fail("signalfd");
    opened(signal_fd, "signalfd", "");
    opened(timerfd_create(CLOCK_MONOTONIC, 0), "timerfd", "");
    opened(inotify_init(), "inotify", "");
    opened(inotify_init1(0), "inotify", "");
    opened(memfd_create("a name", 0), "memfd", "a name");
    opened(posix_openpt(O_RDWR | O_NOCTTY), "pty", "");
}

static void named_objects(void)
{
    char name[64];
    snprintf(name, sizeof name, "/calltap-kinds-%d", getpid());
    opened(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600), "shared-memory", name);
    shm_unlink(name);
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
    if (queue >= 0) { // not every kernel has them
        opened(queue, "message-queue", name);
        mq_unlink(name);
    }
}

static void copies(void)
{
    int original = open("/dev/null", O_RDONLY);
    opened(dup(original), "file", "/dev/null");
    opened(dup2(original, 200), "file", "/dev/null");
    opened(dup3(original, 201, O_CLOEXEC), "file", "/dev/null");
    opened(fcntl(original, F_DUPFD, 202), "file", "/dev/null");
    opened(fcntl(original, F_DUPFD_CLOEXEC, 210), "file", "/dev/null");
    close(original);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        fail("usage");
    files(argv[1]);
    pairs();
    sockets();
    messages();
    kernel_objects();
    named_objects();
    copies();
    return 0;
}
