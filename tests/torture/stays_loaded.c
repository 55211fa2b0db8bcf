// Closes the plugin that a C++ library was loaded for: the library stays, and finds its functions at the program's end.
//
// torture: libraries -ldl
// torture: plugin stays_loaded_library.cpp
// torture: plugin stays_loaded_plugin.c -L. -l:stays_loaded_library.so -Wl,-rpath,$ORIGIN
#include <dlfcn.h>
#include "must.h"

static int is_mapped(const char *name)
{
    char line[4096];
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    MUST(maps);
    while (fgets(line, sizeof line, maps))
        found |= strstr(line, name) != NULL;
    fclose(maps);
    return found;
}

int main(int argc, char **argv)
{
    MUST(argc > 1);
    char path[4096];
    snprintf(path, sizeof path, "%s/stays_loaded_plugin.so", argv[1]);
    void *plugin = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
    MUST(plugin);
    int (*work)(int) = (int (*)(int))dlsym(plugin, "plugin_work");
    MUST(work && work(10) == 10 && !dlclose(plugin));
    printf("plugin %d, library %d\n", is_mapped("stays_loaded_plugin.so"), is_mapped("stays_loaded_library.so"));
    return 0;
}
