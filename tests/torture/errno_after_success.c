// errno is left alone by calls that succeed, and set by those that fail, as without us.
//
// torture: libraries -pthread
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define SAYS(call) \
    do { \
        errno = 4711; \
        int bad = (call); \
        printf("%s%s errno %d\n", #call, bad ? " fails," : ":", errno); \
    } while (0)

int main(void)
{
    void *block = NULL, *pages;
    int fd, ends[2], pair[2], status;
    char text[16], path[] = "/tmp/torture-XXXXXX";
    SAYS((block = sunk(malloc(10))) == NULL);
    SAYS((block = realloc(block, 100000)) == NULL);
    SAYS((free(block), 0));
    SAYS((block = sunk(malloc(1L << 60))) != NULL);
    SAYS((block = sunk(calloc(1L << 40, 1L << 40))) != NULL);
    SAYS(posix_memalign(&block, 3, 10) != EINVAL);
    SAYS(posix_memalign(&block, 64, 10));
    SAYS((free(block), 0));
    SAYS((block = strdup("text")) == NULL);
    SAYS((free(block), 0));
    SAYS((fd = open("/dev/null", O_RDWR)) != 3);
    SAYS(open("/nowhere/at/all", O_RDONLY) == -1);
    SAYS(openat(-5, "here", O_RDONLY) == -1);
    SAYS((int)(pages = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 0));
    SAYS(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    SAYS(mprotect(pages, 4096, PROT_NONE));
    SAYS(munmap(pages, 4096));
    SAYS(munmap((void *)1, 1));
    SAYS(pipe(ends));
    SAYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    SAYS(socket(99, 99, 99) == -1);
    SAYS(connect(fd, NULL, 0));
    SAYS(write(ends[1], "x", 1) != 1);
    SAYS(read(ends[0], text, 1) != 1);
    SAYS(read(-1, text, 1) == -1);
    SAYS(poll(NULL, 0, 0));
    SAYS(dup(fd) == -1);
    SAYS(dup2(fd, fd) != fd);
    SAYS(dup2(99, 100) == -1);
    SAYS(fcntl(fd, F_GETFL) == -1);
    SAYS(fcntl(-1, F_GETFL) == -1);
    SAYS(epoll_create1(0) == -1);
    SAYS(epoll_create1(77) == -1);
    SAYS(eventfd(0, 0) == -1);
    SAYS(fclose(fopen("/dev/null", "r")));
    SAYS(fopen("/nowhere", "r") == NULL);
    SAYS((fd = mkstemp(path)) == -1);
    SAYS(unlink(path));
    SAYS(fsync(fd));
    SAYS(close(fd));
    SAYS(close(fd));
    fflush(stdout);
    pid_t child = fork();
    if (!child)
        _exit(7);
    SAYS(waitpid(child, &status, 0) != child);
    printf("child %d\n", WEXITSTATUS(status));
    SAYS(system("exit 3") != 3 << 8);
    SAYS(execl("/nowhere", "nowhere", (char *)NULL));
    SAYS(pthread_setname_np(pthread_self(), "a name that is too long"));
    printf("call.mprotect=1\ncall.munmap=2\ncall.pipe=1\ncall.close=2\ncall.open=2\ncall.fork=1\ncall.system=1\n");
    return 0;
}
