// Defines malloc and its like itself; its libraries get their blocks from it, too, from the first to the last.
//
// torture: libraries -pthread -fno-builtin
#define _GNU_SOURCE
#include "own_malloc.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "must.h"

static void *work(void *unused)
{
    (void)unused;
    for (int i = 0; i < 1000; i++) {
        char *volatile block = malloc((size_t)i % 100 + 1);
        MUST(block);
        free(block);
    }
    return NULL;
}

int main(void)
{
    long before = own_taken;
    char *text = strdup("a string of the library's making");
    MUST(own_taken == before + 1);
    free(text);
    char *line = NULL;
    MUST(asprintf(&line, "%d lines", 12) == 8 && !strcmp(line, "12 lines"));
    MUST(own_taken > before + 1);
    free(line);
    void *aligned;
    MUST(!posix_memalign(&aligned, 4096, 100) && (uintptr_t)aligned % 4096 == 0);
    free(aligned);
    int *zeros = calloc(100, sizeof *zeros);
    for (int i = 0; i < 100; i++)
        MUST(zeros[i] == 0);
    zeros = realloc(zeros, 200 * sizeof *zeros);
    MUST(zeros[99] == 0);
    free(zeros);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        MUST(!pthread_create(&threads[i], NULL, work, NULL));
    for (int i = 0; i < 4; i++)
        MUST(!pthread_join(threads[i], NULL));
    MUST(own_foreign == 0);
    printf("own blocks only\ncall.strdup=1\n");
    return 0;
}
