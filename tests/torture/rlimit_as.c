// Limits its address space to what it has plus 16 MiB: allocations fail with ENOMEM, it goes on, starts children.
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "must.h"

// Bytes of address space in use.
static size_t used(void)
{
    size_t pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    MUST(statm && fscanf(statm, "%zu", &pages) == 1);
    fclose(statm);
    return pages * 4096;
}

int main(void)
{
    void *volatile first = malloc(100); // The heap is there.
    struct rlimit limit = {used() + (16 << 20), RLIM_INFINITY};
    MUST(!setrlimit(RLIMIT_AS, &limit));
    int blocks = 0;
    static void *taken[64];
    while (blocks < 64 && (taken[blocks] = malloc(1 << 20)) != NULL)
        blocks++;
    MUST(errno == ENOMEM && blocks >= 10 && blocks <= 16);
    MUST(mmap(NULL, 32 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
    for (int i = 0; i < blocks; i++)
        free(taken[i]);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        void *volatile block = malloc(1 << 20);
        _exit(block ? 6 : 1);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 6);
    free(first);
    printf("limited\ncall.mmap=1\ncall.fork=1\n");
    return 0;
}
