// Counts its threads in /proc/self/task while they come and go, and finds only its own.
//
// torture: libraries -pthread
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "must.h"

static pthread_barrier_t barrier;

static int tasks(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/task");
    MUST(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

// Links of the directory: one for each task, and some more.
static int links(void)
{
    struct stat directory;
    MUST(!stat("/proc/self/task", &directory));
    return (int)directory.st_nlink;
}

static void *stay(void *unused)
{
    void *volatile block = malloc(100);
    free(block);
    MUST(syscall(SYS_gettid) != getpid());
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return unused;
}

int main(void)
{
    MUST(tasks() == 1);
    int seen = 0, alone = links();
    for (int count = 1; count <= 16; count *= 2) {
        pthread_t threads[16];
        pthread_barrier_init(&barrier, NULL, (unsigned)count + 1);
        for (int i = 0; i < count; i++)
            MUST(!pthread_create(&threads[i], NULL, stay, NULL));
        pthread_barrier_wait(&barrier);
        // A joined thread is listed until the kernel has done with it, and its tracer if it has one.
        for (int looks = 0; links() - alone > count && looks < 10000; looks++)
            usleep(1000);
        int now = tasks();
        printf("tasks %d\n", now);
        MUST(now == count + 1);
        seen++;
        pthread_barrier_wait(&barrier);
        for (int i = 0; i < count; i++)
            MUST(!pthread_join(threads[i], NULL));
        pthread_barrier_destroy(&barrier);
    }
    printf("call.opendir=%d\n", seen + 1);
    return 0;
}
