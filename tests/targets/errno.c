// Prints errno after a good and a bad call of each kind; run bare and tapped, it must print the same.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include "say.h"

static volatile size_t too_much = SIZE_MAX;
static char page[8192];

#define AFTER(label, call)               \
    do {                                 \
        errno = 4321;                    \
        (void)!(call);                   \
        say(label, errno);               \
    } while (0)

static void heap(void)
{
    void *block = NULL, *gone = malloc(10);
    AFTER("malloc", (block = malloc(100)) != 0);
    AFTER("malloc fails", malloc(too_much / 2) != 0);
    AFTER("calloc fails", calloc(too_much, 3) != 0);
    AFTER("realloc", (block = realloc(block, 10000)) != 0);
    AFTER("realloc fails", realloc(block, too_much / 2) != 0);
    AFTER("realloc to nothing", realloc(gone, 0) != 0);
    AFTER("posix_memalign fails", posix_memalign(&gone, 3, 3));
    AFTER("aligned_alloc fails", aligned_alloc(64, too_much / 2) != 0);
    AFTER("free", (free(block), 0));
    block = malloc(1 << 20); // mapped, so free unmaps it
    AFTER("free of a mapping", (free(block), 0));
    AFTER("free of nothing", (free(NULL), 0));
}

static void mappings(void)
{
    void *map = MAP_FAILED;
    AFTER("mmap", (map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != 0);
    AFTER("mmap fails", mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != 0);
    AFTER("mprotect", mprotect(map, 4096, PROT_READ | PROT_WRITE));
    AFTER("mprotect fails", mprotect((char *)map + 1, 4096, PROT_READ));
    AFTER("madvise fails", madvise(map, 4096, 12345));
    AFTER("mremap", (map = mremap(map, 4096, 8192, MREMAP_MAYMOVE)) != 0);
    AFTER("munmap", munmap(map, 8192));
    AFTER("munmap fails", munmap((char *)1, 4096));
}

static void descriptors(void)
{
    int fd = -1, pair[2] = {-1, -1};
    char template[] = "/no/such/place/XXXXXX";
    FILE *stream = NULL;
    DIR *list = NULL;
    AFTER("open", fd = open("/dev/null", O_RDWR));
    AFTER("open fails", open("/no/such/file", O_RDONLY));
    AFTER("openat fails", openat(-1, "relative", O_RDONLY));
    AFTER("creat fails", creat("/", 0600));
    AFTER("mkstemp fails", mkstemp(template));
    AFTER("dup fails", dup(-1));
    AFTER("dup2", dup2(fd, 77));
    AFTER("dup2 fails", dup2(fd, -1));
    AFTER("dup3 fails", dup3(fd, fd, 0));
    AFTER("fcntl fails", fcntl(-1, F_GETFD));
    AFTER("close", close(77));
    AFTER("close fails", close(77));
    AFTER("pipe fails", pipe2(pair, 0x7f));
    AFTER("socket fails", socket(-1, 0, 0));
    AFTER("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    AFTER("accept fails", accept(pair[0], NULL, NULL));
    AFTER("recvmsg fails", recvmsg(-1, &(struct msghdr){0}, 0));
    AFTER("epoll_create1 fails", epoll_create1(-1));
    AFTER("eventfd fails", eventfd(0, -1));
    AFTER("memfd_create fails", memfd_create("x", ~0U));
    AFTER("close_range fails", close_range(10, 5, 0));
    AFTER("fopen", (stream = fopen("/dev/null", "r")) != 0);
    AFTER("fopen fails", fopen("/no/such/file", "r") != 0);
    AFTER("fclose", fclose(stream));
    AFTER("opendir", (list = opendir("/")) != 0);
    AFTER("opendir fails", opendir("/no/such/place") != 0);
    AFTER("closedir", closedir(list));
    AFTER("popen and pclose", pclose(popen("exit 3", "r")));
    AFTER("write", write(fd, page, 10));
    AFTER("write fails", write(-1, page, 10));
    AFTER("read", read(fd, page, 10));
    AFTER("read fails", read(-1, page, 10));
    AFTER("read of a closed pair", (close(pair[1]), read(pair[0], page, 10)));
    AFTER("pread fails", pread(pair[0], page, 10, 0));
    AFTER("pwrite fails", pwrite(pair[0], page, 10, 0));
    AFTER("writev fails", writev(-1, &(struct iovec){page, 1}, 1));
    AFTER("readv fails", readv(-1, &(struct iovec){page, 1}, 1));
    AFTER("send fails", send(pair[0], page, 1, MSG_NOSIGNAL));
    AFTER("recv fails", recv(fd, page, 1, 0));
    AFTER("connect fails", connect(fd, NULL, 0));
    AFTER("poll", poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0));
    AFTER("select fails", select(-1, NULL, NULL, NULL, NULL));
    AFTER("epoll_wait fails", epoll_wait(fd, &(struct epoll_event){0}, 1, 0));
    AFTER("fsync fails", fsync(pair[0]));
    close(pair[0]);
    close(fd);
}

static pid_t forked(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return child;
}

static void locks_and_processes(void)
{
    pthread_mutex_t mutex;
    pthread_mutexattr_t checked;
    pthread_mutexattr_init(&checked);
    pthread_mutexattr_settype(&checked, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &checked);
    AFTER("pthread_mutex_lock", pthread_mutex_lock(&mutex));
    AFTER("pthread_mutex_lock fails", pthread_mutex_lock(&mutex));
    AFTER("pthread_mutex_timedlock fails", pthread_mutex_timedlock(&mutex, &(struct timespec){0}));
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    AFTER("pthread_cond_timedwait fails", pthread_cond_timedwait(&condition, &mutex, &(struct timespec){0}));
    sem_t semaphore;
    sem_init(&semaphore, 0, 1);
    AFTER("sem_wait", sem_wait(&semaphore));
    char *nothing[] = {"x", NULL};
    pid_t child = 0;
    AFTER("execv fails", execv("/no/such/file", nothing));
    AFTER("execvp fails", execvp("no-such-program", nothing));
    AFTER("execve fails", execve("/", nothing, nothing));
    AFTER("execl fails", execl("/no/such/file", "x", "y", (char *)NULL));
    AFTER("fexecve fails", fexecve(-1, nothing, nothing));
    AFTER("posix_spawn fails", posix_spawn(&child, "/no/such/file", NULL, NULL, nothing, nothing));
    AFTER("fork", child = forked());
    AFTER("waitpid", waitpid(child, NULL, 0));
    AFTER("system", system("exit 3"));
    AFTER("pthread_setname_np fails", pthread_setname_np(pthread_self(), "a name much too long for a thread"));
}

int main(void)
{
    heap();
    mappings();
    descriptors();
    locks_and_processes();
    return 0;
}
