// The first thread ends by pthread_exit, others go on and end the process with a status of theirs.
//
// torture: libraries -pthread
// torture: ends 23
#include <pthread.h>
#include <stdlib.h>
#include "must.h"

static pthread_t first;

static void *go_on(void *unused)
{
    (void)unused;
    MUST(!pthread_join(first, NULL));
    for (int i = 0; i < 1000; i++) {
        void *volatile block = malloc(100);
        free(block);
    }
    printf("went on\n");
    exit(23);
}

int main(void)
{
    first = pthread_self();
    pthread_t thread;
    MUST(!pthread_create(&thread, NULL, go_on, NULL));
    pthread_exit(NULL);
}
