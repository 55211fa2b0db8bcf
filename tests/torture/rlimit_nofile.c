// Lowers RLIMIT_NOFILE and uses every descriptor up to it; more are refused with EMFILE, children included.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "must.h"

int main(void)
{
    struct rlimit limit = {10, 10};
    MUST(!setrlimit(RLIMIT_NOFILE, &limit));
    MUST(sysconf(_SC_OPEN_MAX) == 10);
    for (int fd = 3; fd < 10; fd++)
        MUST(open("/dev/null", O_RDONLY) == fd);
    MUST(open("/dev/null", O_RDONLY) == -1 && errno == EMFILE);
    MUST(dup(1) == -1 && errno == EMFILE);
    void *volatile block = malloc(100000);
    MUST(block);
    free(block);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        MUST(open("/dev/null", O_RDONLY) == -1 && errno == EMFILE);
        close(9);
        MUST(open("/dev/null", O_RDONLY) == 9);
        block = malloc(1000);
        _exit(0);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child && status == 0);
    for (int fd = 3; fd < 10; fd++)
        MUST(!close(fd));
    // A program that is started with no descriptor to spare but what the loader needs.
    MUST(system("exit 7") == 7 << 8);
    limit.rlim_cur = limit.rlim_max = 4;
    MUST(!setrlimit(RLIMIT_NOFILE, &limit));
    MUST(system("exit 7") == 7 << 8);
    printf("ten and no more\ncall.dup=1\ncall.fork=1\ncall.system=2\n");
    return 0;
}
