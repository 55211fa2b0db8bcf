// Serves itself over TCP, UDP and a local socket, with a thread as the client; all bytes arrive.
//
// torture: libraries -pthread
#define _GNU_SOURCE
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "must.h"

static struct sockaddr_storage address;
static socklen_t length;
enum { BYTES = 100000 };

static void *client(void *kind)
{
    int family = *(int *)kind;
    int socket_ = socket(family, SOCK_STREAM, 0);
    MUST(socket_ >= 0 && !connect(socket_, (struct sockaddr *)&address, length));
    char *block = malloc(BYTES);
    for (int i = 0; i < BYTES; i++)
        block[i] = (char)(i * 7);
    for (int sent = 0; sent < BYTES;) {
        ssize_t done = send(socket_, block + sent, (size_t)(BYTES - sent < 3000 ? BYTES - sent : 3000), 0);
        MUST(done > 0);
        sent += (int)done;
    }
    MUST(!shutdown(socket_, SHUT_WR));
    char answer[3];
    MUST(recv(socket_, answer, 3, MSG_WAITALL) == 3 && !memcmp(answer, "got", 3));
    MUST(!close(socket_));
    free(block);
    return NULL;
}

static void serve(int family)
{
    int listener = socket(family, SOCK_STREAM, 0), received = 0;
    MUST(!bind(listener, (struct sockaddr *)&address, length) && !listen(listener, 5));
    length = sizeof address;
    MUST(!getsockname(listener, (struct sockaddr *)&address, &length));
    printf("listener %d\n", listener);
    pthread_t thread;
    MUST(!pthread_create(&thread, NULL, client, &family));
    int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    MUST(connection > listener);
    char block[5000];
    for (ssize_t done; (done = recv(connection, block, sizeof block, 0)) > 0; received += (int)done)
        for (ssize_t i = 0; i < done; i++)
            MUST(block[i] == (char)((received + i) * 7));
    MUST(received == BYTES && send(connection, "got", 3, 0) == 3);
    MUST(!pthread_join(thread, NULL) && !close(connection) && !close(listener));
}

int main(void)
{
    *(struct sockaddr_in *)&address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    length = sizeof(struct sockaddr_in);
    serve(AF_INET);
    memset(&address, 0, sizeof address);
    *(struct sockaddr_un *)&address = (struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = "torture.socket"};
    length = sizeof(struct sockaddr_un);
    serve(AF_UNIX);
    MUST(!unlink("torture.socket"));
    int one = socket(AF_INET, SOCK_DGRAM, 0), other = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof to;
    MUST(!bind(one, (struct sockaddr *)&to, size) && !getsockname(one, (struct sockaddr *)&to, &size));
    MUST(sendto(other, "datagram", 8, 0, (struct sockaddr *)&to, size) == 8);
    char text[100];
    MUST(recvfrom(one, text, sizeof text, 0, NULL, NULL) == 8 && !memcmp(text, "datagram", 8));
    printf("served\ncall.socket=6\ncall.accept4=2\ncall.connect=2\ncall.sendto=1\ncall.recvfrom=1\n");
    return 0;
}
