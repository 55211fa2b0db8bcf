// Loads a plugin into two namespaces of the loader (dlmopen), each with a C library of its own.
//
// torture: libraries -ldl
// torture: plugin namespace_plugin.c
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include "must.h"

int main(int argc, char **argv)
{
    MUST(argc > 1);
    char path[4096];
    snprintf(path, sizeof path, "%s/namespace_plugin.so", argv[1]);
    void *plugins[2];
    int (*work[2])(int);
    for (int i = 0; i < 2; i++) {
        plugins[i] = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
        MUST(plugins[i]);
        work[i] = (int (*)(int))dlsym(plugins[i], "namespace_work");
        MUST(work[i]);
    }
    MUST(work[0] != work[1]);
    Lmid_t first, second;
    MUST(!dlinfo(plugins[0], RTLD_DI_LMID, &first) && !dlinfo(plugins[1], RTLD_DI_LMID, &second));
    MUST(first != LM_ID_BASE && second != LM_ID_BASE && first != second);
    for (int i = 0; i < 10; i++)
        MUST(work[i % 2](100) == 100);
    MUST(!dlclose(plugins[0]));
    MUST(work[1](100) == 100);
    printf("worked in both\n");
    return 0;
}
