// Goes through the loaded objects with dl_iterate_phdr while others come and go; each has sane headers.
//
// torture: libraries -ldl -pthread
// torture: plugin namespace_plugin.c
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include "must.h"

static char path[4096];
static volatile int over;

static int see(struct dl_phdr_info *info, size_t size, void *seen)
{
    MUST(size >= sizeof *info && info->dlpi_phnum > 0);
    int loads = 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        loads += info->dlpi_phdr[i].p_type == PT_LOAD;
    MUST(loads > 0);
    void *volatile block = malloc(50); // The loader's lock is held: hooks must not want it.
    free(block);
    int *counts = seen;
    counts[0]++;
    counts[1] += strstr(info->dlpi_name, "libc.so.6") != NULL;
    counts[2] += info->dlpi_name[0] == 0;
    counts[3] += strstr(info->dlpi_name, "namespace_plugin.so") != NULL;
    return 0;
}

static void *load(void *unused)
{
    (void)unused;
    while (!over) {
        void *plugin = dlopen(path, RTLD_NOW);
        MUST(plugin && !dlclose(plugin));
    }
    return NULL;
}

int main(int argc, char **argv)
{
    MUST(argc > 1);
    snprintf(path, sizeof path, "%s/namespace_plugin.so", argv[1]);
    pthread_t loader;
    MUST(!pthread_create(&loader, NULL, load, NULL));
    for (int i = 0; i < 200; i++) {
        int counts[4] = {0};
        MUST(!dl_iterate_phdr(see, counts));
        MUST(counts[0] >= 3 && counts[1] == 1 && counts[2] >= 1 && counts[3] <= 1);
    }
    over = 1;
    MUST(!pthread_join(loader, NULL));
    printf("seen 200 times\n");
    return 0;
}
