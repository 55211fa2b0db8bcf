// Loads and unloads a plugin again and again, now and lazily, whose constructor allocates and opens.
//
// torture: libraries -ldl
// torture: plugin dlopen_loop_plugin.c
#include <dlfcn.h>
#include <stdlib.h>
#include "must.h"

int main(int argc, char **argv)
{
    MUST(argc > 1);
    char path[4096];
    snprintf(path, sizeof path, "%s/dlopen_loop_plugin.so", argv[1]);
    for (int i = 0; i < 200; i++) {
        void *plugin = dlopen(path, i % 2 ? RTLD_NOW : RTLD_LAZY | (i % 4 ? RTLD_GLOBAL : 0));
        MUST(plugin);
        const char *(*text)(void) = (const char *(*)(void))dlsym(plugin, "plugin_text");
        int (*descriptor)(void) = (int (*)(void))dlsym(plugin, "plugin_descriptor");
        char *(*block)(size_t) = (char *(*)(size_t))dlsym(plugin, "plugin_block");
        MUST(text && descriptor && block);
        MUST(!strcmp(text(), "made by the constructor"));
        MUST(descriptor() == 3);
        char *volatile taken = block(100);
        free(taken);
        MUST(!dlsym(plugin, "no_such_symbol") && dlerror());
        MUST(!dlclose(plugin));
        MUST(!dlopen(path, RTLD_NOW | RTLD_NOLOAD));
    }
    MUST(!dlopen("/nonexistent/plugin.so", RTLD_NOW) && dlerror());
    printf("loaded 200 times\ncall.free=200\n");
    return 0;
}
