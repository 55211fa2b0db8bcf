// A service that counts what it does, and its client.
//
//   service serve SOCKET CONNECTIONS     serves so many connections, a thread each, then says what it did
//   service load SOCKET CONNECTIONS REQUESTS BLOCKS   sends so many requests on each, for so many blocks each
//
// A request replaces BLOCKS of the thread's 1,024 blocks by new ones of 16 to 4,095 bytes. Every 16th opens a file and
// closes it. Each of the first 100 requests of a connection leaks one block, all at one line.
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { SLOTS = 1024, LEAKS = 100, LEAKED_BYTES = 48 };

struct tally {
    uint64_t mallocs, frees, opens, leaks;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint32_t next(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static void read_whole(int fd, void *to, size_t bytes, int *ended)
{
    for (size_t got = 0; got < bytes;) {
        ssize_t now = read(fd, (char *)to + got, bytes - got);
        if (now < 0)
            die("read");
        if (now == 0) {
            *ended = 1;
            return;
        }
        got += (size_t)now;
    }
}

static struct tally tallies[64];
static int connections[64];
static char *volatile leaked;

static void *serve(void *argument)
{
    int at = (int)(intptr_t)argument, fd = connections[at], ended = 0;
    struct tally *tally = &tallies[at];
    static __thread char *slots[SLOTS];
    uint32_t state = (uint32_t)at + 1, blocks;
    for (uint64_t request = 0;; request++) {
        read_whole(fd, &blocks, sizeof blocks, &ended);
        if (ended)
            break;
        for (uint32_t block = 0; block < blocks; block++) {
            char **slot = &slots[next(&state) % SLOTS];
            if (*slot) {
                free(*slot);
                tally->frees++;
            }
            *slot = malloc(16 + next(&state) % 4080);
            tally->mallocs++;
            **slot = 1;
        }
        if (request < LEAKS) {
            leaked = malloc(LEAKED_BYTES); // leak
            leaked[0] = 1;
            tally->mallocs++;
            tally->leaks++;
        }
        if (request % 16 == 0) {
            int file = open("/dev/null", O_RDONLY);
            if (file < 0 || close(file))
                die("/dev/null");
            tally->opens++;
        }
        if (write(fd, &blocks, sizeof blocks) != sizeof blocks)
            die("write");
    }
    for (int slot = 0; slot < SLOTS; slot++)
        if (slots[slot]) {
            free(slots[slot]);
            tally->frees++;
        }
    close(fd);
    return NULL;
}

static struct sockaddr_un address(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    strncpy(at.sun_path, path, sizeof at.sun_path - 1);
    return at;
}

static int server(const char *path, int count)
{
    struct sockaddr_un at = address(path);
    pthread_t threads[64];
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 64))
        die("listen");
    for (int i = 0; i < count; i++) {
        connections[i] = accept(listener, NULL, NULL);
        if (connections[i] < 0 || pthread_create(&threads[i], NULL, serve, (void *)(intptr_t)i))
            die("accept");
    }
    struct tally all = {0};
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        all.mallocs += tallies[i].mallocs;
        all.frees += tallies[i].frees;
        all.opens += tallies[i].opens;
        all.leaks += tallies[i].leaks;
    }
    printf("mallocs=%lu frees=%lu opens=%lu leaked_blocks=%lu leaked_bytes=%lu\n", all.mallocs, all.frees, all.opens,
           all.leaks, all.leaks * LEAKED_BYTES);
    return 0;
}

static uint32_t load_requests, load_blocks;

static void *load(void *argument)
{
    int fd = (int)(intptr_t)argument, ended = 0;
    for (uint32_t request = 0; request < load_requests && !ended; request++) {
        uint32_t answer, blocks = load_blocks;
        if (write(fd, &blocks, sizeof blocks) != sizeof blocks)
            die("write");
        read_whole(fd, &answer, sizeof answer, &ended);
    }
    close(fd);
    return NULL;
}

static int client(const char *path, int count)
{
    struct sockaddr_un at = address(path);
    pthread_t threads[64];
    for (int i = 0; i < count; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) ||
            pthread_create(&threads[i], NULL, load, (void *)(intptr_t)fd))
            die("connect");
    }
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

int main(int argc, char **argv)
{
    int count = argc > 3 ? atoi(argv[3]) : 0;
    if (count < 1 || count > 64)
        return 2;
    if (argc == 4 && strcmp(argv[1], "serve") == 0)
        return server(argv[2], count);
    if (argc == 6 && strcmp(argv[1], "load") == 0) {
        load_requests = (uint32_t)strtoul(argv[4], NULL, 10);
        load_blocks = (uint32_t)strtoul(argv[5], NULL, 10);
        return client(argv[2], count);
    }
    return 2;
}
