// A plugin with a malloc of its own, loaded with RTLD_DEEPBIND, uses that; the program keeps the C library's.
//
// torture: libraries -ldl
// torture: plugin deepbind_plugin.c -fno-builtin
#include <dlfcn.h>
#include <stdlib.h>
#include "must.h"

int main(int argc, char **argv)
{
    MUST(argc > 1);
    char path[4096];
    snprintf(path, sizeof path, "%s/deepbind_plugin.so", argv[1]);
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    MUST(plugin);
    int (*work)(void) = (int (*)(void))dlsym(plugin, "plugin_work");
    int (*own)(void) = (int (*)(void))dlsym(plugin, "plugin_own_calls");
    MUST(work && own);
    int before = own();
    for (int i = 0; i < 100; i++) {
        void *volatile block = malloc(100);
        free(block);
    }
    printf("program's calls of the plugin's malloc %d\n", own() - before);
    printf("plugin's calls of its own malloc %d\n", work());
    printf("call.malloc=100\ncall.free=100\n");
    return 0;
}
