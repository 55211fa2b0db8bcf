// Goes on in an empty root directory: allocates, opens, starts threads and children without /proc and /dev.
//
// torture: root
// torture: libraries -pthread
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

static void *work(void *unused)
{
    void *volatile block = malloc(100);
    free(block);
    MUST(open("/proc/self/maps", O_RDONLY) == -1 && errno == ENOENT);
    return unused;
}

int main(void)
{
    char name[] = "rootXXXXXX";
    MUST(mkdtemp(name));
    int before = open(".", O_RDONLY | O_DIRECTORY);
    printf("directory %d\n", before);
    MUST(!chroot(name) && !chdir("/"));
    MUST(open("/dev/null", O_RDONLY) == -1 && errno == ENOENT);
    int file = open("/file", O_CREAT | O_RDWR, 0600);
    printf("file %d\n", file);
    fflush(stdout);
    MUST(write(file, "text", 4) == 4 && !close(file) && !unlink("/file"));
    pthread_t thread;
    for (int i = 0; i < 20; i++)
        MUST(!pthread_create(&thread, NULL, work, NULL) && !pthread_join(thread, NULL));
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        void *volatile block = malloc(100);
        free(block);
        execl("/bin/true", "true", (char *)NULL);
        _exit(errno == ENOENT ? 5 : 6);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 5);
    MUST(!fchdir(before) && !rmdir(name));
    printf("worked\ncall.fork=1\n");
    return 0;
}
