// Limits the size of its files: a write stops there, then SIGXFSZ comes, or EFBIG; nothing of ours counts.
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "must.h"

int main(void)
{
    struct rlimit limit = {1000, 1000};
    char name[] = "fsizeXXXXXX";
    static char block[4000];
    MUST(!setrlimit(RLIMIT_FSIZE, &limit));
    int fd = mkstemp(name);
    printf("file %d\n", fd);
    fflush(stdout);
    MUST(fd >= 0 && !unlink(name));
    MUST(write(fd, block, sizeof block) == 1000);
    pid_t child = fork();
    if (child == 0)
        _exit(write(fd, block, 1) == 1 ? 1 : 2);
    int status;
    MUST(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
    signal(SIGXFSZ, SIG_IGN);
    MUST(write(fd, block, 1) == -1 && errno == EFBIG);
    MUST(ftruncate(fd, 2000) == -1 && errno == EFBIG);
    // Many calls of ours, many blocks: what we write them into is no file.
    for (int i = 0; i < 50000; i++) {
        void *volatile taken = malloc(100);
        free(taken);
    }
    limit.rlim_cur = limit.rlim_max = 0;
    MUST(!setrlimit(RLIMIT_FSIZE, &limit));
    MUST(system("exit 3") == 3 << 8);
    // Standard output may be a file, too: then this cannot be written.
    return 0;
}
