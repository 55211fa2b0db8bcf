// Threads with the smallest stack that there is (PTHREAD_STACK_MIN), which make tapped calls.
//
// torture: libraries -pthread
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

static void *work(void *number)
{
    // A share of the stack is the program's own, before the calls.
    volatile char own[4096];
    own[0] = own[4095] = 1;
    void *block = sunk(malloc(100));
    int fd = open("/dev/null", O_RDONLY);
    char text[32];
    EXPECT(fd >= 3 && read(fd, text, sizeof text) == 0 && close(fd) == 0);
    char *copy = strdup("copied");
    EXPECT(strlen(copy) == 6);
    free(copy);
    free(block);
    return (void *)((long)number + own[0]);
}

int main(void)
{
    pthread_attr_t attributes;
    EXPECT(pthread_attr_init(&attributes) == 0);
    EXPECT(pthread_attr_setstacksize(&attributes, (size_t)sysconf(_SC_THREAD_STACK_MIN)) == 0);
    // The loader binds lazily with more stack than a program should count on.
    EXPECT(work(NULL) == (void *)1);
    for (long i = 0; i < 40; i++) {
        pthread_t threads[4];
        void *result;
        for (long t = 0; t < 4; t++)
            EXPECT(pthread_create(&threads[t], &attributes, work, (void *)t) == 0);
        for (long t = 0; t < 4; t++)
            EXPECT(pthread_join(threads[t], &result) == 0 && result == (void *)(t + 1));
    }
    pthread_attr_destroy(&attributes);
    printf("call.malloc=161\ncall.strdup=161\ncall.free=322\ncall.open=161\ncall.close=161\n");
    return 0;
}
