// Lists /proc/self/fd and fdinfo: numbers, targets and flags of its descriptors, also in a child and a thread.
//
// torture: libraries -pthread
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

static void list(const char *who, const char *folder)
{
    DIR *directory = opendir(folder);
    MUST(directory);
    printf("%s, through %d:", who, dirfd(directory));
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        int fd = atoi(entry->d_name);
        printf(" %d", fd);
        if (fd < 3 || fd == dirfd(directory))
            continue;
        char path[300], target[300] = "";
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        ssize_t length = readlink(path, target, sizeof target - 1);
        MUST(length > 0);
        printf("=%s(%d,%x)", strncmp(target, "pipe", 4) ? target : "pipe", fcntl(fd, F_GETFD), (unsigned)fcntl(fd, F_GETFL));
    }
    printf("\n");
    closedir(directory);
}

static void *in_thread(void *unused)
{
    list("thread", "/proc/thread-self/fd");
    return unused;
}

int main(void)
{
    list("at first", "/proc/self/fd");
    int ends[2];
    MUST(!pipe(ends) && open("/dev/null", O_RDWR | O_CLOEXEC) == ends[1] + 1);
    void *volatile block = malloc(100);
    free(block);
    list("with a pipe", "/proc/self/fd");
    pthread_t thread;
    MUST(!pthread_create(&thread, NULL, in_thread, NULL) && !pthread_join(thread, NULL));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        block = malloc(100);
        list("child", "/proc/self/fd");
        fflush(stdout);
        _exit(0);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child && status == 0);
    printf("call.pipe=1\ncall.fork=1\ncall.opendir=4\n");
    return 0;
}
