// Asynchronous cancellation: in a computation, in blocking calls, and in functions that allow it.
//
// torture: libraries -pthread
// torture: loses 80
// torture: repeat 10
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static sem_t ready;
static int ends[2], cleaned;
static volatile long work;

static void clean(void *block)
{
    free(block);
    cleaned++;
}

static void *victim(void *how)
{
    char byte;
    pthread_cleanup_push(clean, sunk(malloc(100)));
    // Posted before it can be cancelled: nothing of glibc's own is interrupted but what is made for it.
    sem_post(&ready);
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    for (;;) {
        if (how == (void *)1)
            (void)!read(ends[0], &byte, 1);
        else if (how == (void *)2)
            poll(NULL, 0, 1);
        else if (how == (void *)3)
            work += (long)strlen(sunk("a library function without a lock"));
        else
            work++;
    }
    pthread_cleanup_pop(1);
    return NULL;
}

int main(void)
{
    EXPECT(pipe(ends) == 0);
    sem_init(&ready, 0, 0);
    for (long i = 0; i < 80; i++) {
        pthread_t thread;
        void *result;
        EXPECT(pthread_create(&thread, NULL, victim, (void *)(i % 4)) == 0);
        sem_wait(&ready);
        if (i % 8 < 4)
            usleep(300);
        EXPECT(pthread_cancel(thread) == 0);
        EXPECT(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    }
    EXPECT(cleaned == 80);
    int fd = open("/dev/null", O_RDONLY);
    printf("descriptors %d %d, next %d\ncall.malloc=80\ncall.free=80\n", ends[0], ends[1], fd);
    return 0;
}
