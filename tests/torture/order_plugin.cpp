// What a plugin has run when it is loaded, unloaded, or left to the end.
#include <cstdio>
#include <cstdlib>
#include <string>

struct Told {
    std::string name;
    explicit Told(const char *name) : name(name) { fprintf(stderr, "%s: made\n", name); }
    ~Told() { fprintf(stderr, "%s: destroyed\n", name.c_str()); }
};

static Told object("a static object of the plugin");

__attribute__((constructor)) static void before()
{
    free(malloc(10));
    fprintf(stderr, "constructor of the plugin: runs\n");
}

__attribute__((destructor)) static void after()
{
    free(malloc(10));
    fprintf(stderr, "destructor of the plugin: runs\n");
}
