// Deep recursion with tapped calls on the way: to near the limit of the main stack, and to 16 KiB before a thread's end.
//
// torture: libraries -pthread
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"

static char *deepest;
static long calls;

static long down(char *above, long depth)
{
    volatile char frame[64];
    frame[0] = above[0];
    char *block = NULL;
    if (depth % 16 == 0) {
        block = sunk(malloc(32));
        calls++;
    }
    long below = (char *)frame > deepest ? down((char *)frame, depth + 1) : depth;
    if (depth % 16 == 0) {
        int fd = depth % 1024 == 0 ? open("/dev/null", O_RDONLY) : -1;
        EXPECT(fd == -1 || close(fd) == 0);
        free(block);
    }
    return below + (frame[0] != 7);
}

static void *in_thread(void *unused)
{
    pthread_attr_t attributes;
    void *lowest;
    size_t size;
    char start = 7;
    EXPECT(pthread_getattr_np(pthread_self(), &attributes) == 0);
    pthread_attr_getstack(&attributes, &lowest, &size);
    pthread_attr_destroy(&attributes);
    deepest = (char *)lowest + 16384;
    EXPECT(down(&start, 0) > 1000);
    return unused;
}

int main(void)
{
    struct rlimit limit;
    char start = 7;
    EXPECT(getrlimit(RLIMIT_STACK, &limit) == 0);
    limit.rlim_cur = 4 << 20;
    EXPECT(setrlimit(RLIMIT_STACK, &limit) == 0);
    // Arguments and environment count, too.
    deepest = &start - (4 << 20) + (300 << 10);
    EXPECT(down(&start, 0) > 1000);
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, in_thread, NULL) == 0 && pthread_join(thread, NULL) == 0);
    printf("call.malloc=%ld\n", calls);
    return 0;
}
