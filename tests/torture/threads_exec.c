// A thread that is not the first one executes a program while others work: it takes the whole process over. The others are
// killed in the middle of calls.
//
// torture: libraries -pthread
#include <pthread.h>
#include <stdlib.h>
#include "must.h"

static char *self;
static int left;

static void *work(void *unused)
{
    for (;;) {
        void *volatile block = malloc(100);
        free(block);
    }
    return unused;
}

static void *replace(void *unused)
{
    char number[20];
    snprintf(number, sizeof number, "%d", left - 1);
    execl(self, self, number, (char *)NULL);
    MUST(!"exec returned");
    return unused;
}

int main(int argc, char **argv)
{
    self = argv[0];
    left = argc > 1 ? atoi(argv[1]) : 20;
    if (left == 0) {
        printf("replaced 20 times\ncall.execl=20\n");
        return 0;
    }
    pthread_t thread;
    for (int i = 0; i < 3; i++)
        MUST(!pthread_create(&thread, NULL, work, NULL));
    MUST(!pthread_create(&thread, NULL, replace, NULL));
    pthread_exit(NULL); // The first thread may have ended by then.
}
