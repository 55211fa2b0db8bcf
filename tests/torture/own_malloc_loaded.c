// Loads a plugin that defines malloc: who is bound to what is as without us, no block meets the wrong free.
//
// torture: libraries -ldl
// torture: plugin own_malloc_plugin.c
#include <dlfcn.h>
#include <stdlib.h>
#include "must.h"

static void try(const char *path, int how, const char *name)
{
    void *plugin = dlopen(path, how);
    MUST(plugin);
    long (*work)(int) = (long (*)(int))dlsym(plugin, "plugin_work");
    long (*foreign)(void) = (long (*)(void))dlsym(plugin, "plugin_foreign");
    MUST(work && foreign);
    printf("%s: the plugin's own malloc was called %ld times\n", name, work(100));
    printf("%s: blocks of another allocator in its free: %ld\n", name, foreign());
    MUST(!dlclose(plugin));
}

int main(int argc, char **argv)
{
    MUST(argc > 1);
    char path[4096];
    snprintf(path, sizeof path, "%s/own_malloc_plugin.so", argv[1]);
    try(path, RTLD_NOW | RTLD_LOCAL, "local");
    try(path, RTLD_LAZY | RTLD_LOCAL, "lazy");
    try(path, RTLD_NOW | RTLD_GLOBAL, "global");
    for (int i = 0; i < 100; i++) {
        void *volatile block = malloc(100);
        free(block);
    }
    return 0;
}
