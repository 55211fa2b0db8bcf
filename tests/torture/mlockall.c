// Locks all its memory, now and in future, allocates, starts threads and lets go again.
//
// torture: libraries -pthread
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "must.h"

static void *work(void *unused)
{
    void *volatile block = malloc(100000);
    free(block);
    return unused;
}

int main(void)
{
    MUST(!mlockall(MCL_CURRENT | MCL_FUTURE));
    for (int i = 0; i < 5; i++) {
        pthread_t thread;
        MUST(!pthread_create(&thread, NULL, work, NULL) && !pthread_join(thread, NULL));
    }
    void *pages = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(pages != MAP_FAILED);
    unsigned char resident[256];
    MUST(!mincore(pages, 1 << 20, resident));
    for (int i = 0; i < 256; i++)
        MUST(resident[i] & 1);
    MUST(!munlockall());
    MUST(!mlock(pages, 4096) && !munlock(pages, 4096) && !munmap(pages, 1 << 20));
    printf("locked\ncall.mmap=1\ncall.munmap=1\n");
    return 0;
}
