// Dies by SIGABRT with core files forbidden: status, signal and the absence of a core file are as without us.
//
// torture: ends SIGABRT
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "must.h"

int main(void)
{
    struct rlimit limit = {0, 0};
    MUST(!setrlimit(RLIMIT_CORE, &limit));
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0)
        abort();
    int status;
    MUST(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    MUST(!WCOREDUMP(status));
    printf("the child dumped nothing\ncall.fork=1\n");
    fflush(stdout);
    void *volatile block = malloc(100);
    free(block);
    abort();
}
