// Runs itself again with a small, a large and an unlimited stack, and uses most of the small one.
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "must.h"

static __attribute__((noinline)) int deep(int levels)
{
    volatile char frame[1000];
    frame[0] = (char)levels;
    void *volatile block = malloc((size_t)levels + 1);
    free(block);
    return levels == 0 ? 0 : deep(levels - 1) + (frame[0] == (char)levels);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        struct rlimit limit;
        MUST(!getrlimit(RLIMIT_STACK, &limit));
        printf("%s: %lld\n", argv[1], (long long)limit.rlim_cur);
        int levels = atoi(argv[1]);
        MUST(deep(levels) == levels);
        return 0;
    }
    const rlim_t limits[] = {256 << 10, 64 << 20, RLIM_INFINITY};
    const char *const levels[] = {"60", "5000", "5000"};
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0) {
            struct rlimit limit = {limits[i], RLIM_INFINITY};
            MUST(!setrlimit(RLIMIT_STACK, &limit));
            execl("/proc/self/exe", argv[0], levels[i], (char *)NULL);
            _exit(127);
        }
        int status;
        MUST(waitpid(child, &status, 0) == child && status == 0);
    }
    printf("call.fork=3\n");
    return 0;
}
