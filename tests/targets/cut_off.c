// Ends in the midst of other threads' calls: cut_off FILE MICROSECONDS exit|_exit|kill.
//
// FILE gets a pair of 64-bit numbers for each of nine threads that contend for a lock: calls of malloc begun and ended.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "say.h"

enum { THREADS = 9 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *work(void *of)
{
    volatile uint64_t *mine = of;
    for (;;) {
        pthread_mutex_lock(&lock);
        mine[0]++;
        char *block = malloc(32);
        mine[1]++;
        if (!block)
            fail("malloc");
        block[0] = 1;
        free(block);
        pthread_mutex_unlock(&lock);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4)
        fail("usage");
    int file = open(argv[1], O_RDWR | O_CREAT, 0600);
    if (file < 0 || ftruncate(file, 4096))
        fail("file");
    uint64_t *counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (counts == MAP_FAILED)
        fail("mmap");
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, work, counts + 2 * i))
            fail("pthread_create");
    }
    usleep(atoi(argv[2]));
    if (!strcmp(argv[3], "exit"))
        exit(3);
    if (!strcmp(argv[3], "_exit"))
        _exit(3);
    kill(getpid(), SIGKILL);
    return 1;
}
