// Sends descriptors through sockets between processes (SCM_RIGHTS), one and many, and their numbers are the next free.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "must.h"

enum { MOST = 20 };

static void pass(int socket, const int *fds, int count)
{
    char room[CMSG_SPACE(MOST * sizeof(int))] = {0}, byte = (char)count;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room,
                             .msg_controllen = CMSG_SPACE((size_t)count * sizeof(int))};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, (size_t)count * sizeof(int));
    MUST(sendmsg(socket, &message, 0) == 1);
}

static int receive(int socket, int *fds)
{
    char room[CMSG_SPACE(MOST * sizeof(int))], byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    MUST(recvmsg(socket, &message, MSG_CMSG_CLOEXEC) == 1);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    MUST(header && header->cmsg_type == SCM_RIGHTS);
    int count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(fds, CMSG_DATA(header), (size_t)count * sizeof(int));
    MUST(count == byte);
    return count;
}

int main(void)
{
    int pair[2];
    MUST(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    printf("sockets %d %d\n", pair[0], pair[1]);
    fflush(stdout);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        close(pair[0]);
        MUST(pair[1] == 4);
        for (int count = 1; count <= MOST; count++) {
            int fds[MOST], ends[2];
            MUST(!pipe(ends));
            for (int i = 0; i < count; i++)
                fds[i] = i % 2 ? ends[1] : dup(ends[1]);
            pass(pair[1], fds, count);
            char text;
            closefrom(5); // The pipe's ends; what was sent lives on.
            MUST(read(pair[1], &text, 1) == 1);
        }
        _exit(3);
    }
    close(pair[1]);
    for (int count = 1; count <= MOST; count++) {
        int fds[MOST];
        MUST(receive(pair[0], fds) == count);
        for (int i = 0; i < count; i++) {
            MUST(fds[i] == 4 + i);
            MUST(fcntl(fds[i], F_GETFD) == FD_CLOEXEC);
            MUST(!close(fds[i]));
        }
        MUST(write(pair[0], "x", 1) == 1);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 3);
    printf("all received\ncall.fork=1\ncall.socketpair=1\ncall.recvmsg=%d\ncall.sendmsg=%d\n", MOST, MOST);
    return 0;
}
