// The order of what runs at the end: atexit, on_exit, static objects, destructors of the program and of a plugin.
//
// torture: plugin order_plugin.cpp
// torture: libraries -ldl -pthread
// torture: ends 3
#define _DEFAULT_SOURCE
#include <dlfcn.h>
#include <string>
#include <thread>

#include "check.h"

// Written at once: stdio is not there for ever.
static void say(const char *who, const char *what) { fprintf(stderr, "%s: %s\n", who, what); }

struct Told {
    std::string name;
    explicit Told(const char *name) : name(name) { say(name, "made"); }
    ~Told()
    {
        free(sunk(malloc(50)));
        say(name.c_str(), "destroyed");
    }
};

static Told early("a static object");
thread_local Told of_thread("an object of a thread");

__attribute__((constructor)) static void before() { say("constructor", "runs"); }
__attribute__((destructor)) static void after() { say("destructor", "runs"); }
static void registered() { say("atexit", "runs"); }
static void registered_at_exit()
{
    say("atexit", "registers another");
    atexit(registered);
}
static void with_status(int status, void *word) { fprintf(stderr, "on_exit: %d %s\n", status, (const char *)word); }

int main(int, char **argv)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/order_plugin.so", argv[1]);
    atexit(registered);
    void *closed = dlopen(path, RTLD_NOW);
    EXPECT(closed != nullptr && dlclose(closed) == 0);
    on_exit(with_status, (void *)"of the program");
    EXPECT(dlopen(path, RTLD_NOW | RTLD_GLOBAL) != nullptr);
    atexit(registered_at_exit);
    static Told late("a late static object");
    std::thread([] { say(of_thread.name.c_str(), "used in a thread"); }).join();
    say(of_thread.name.c_str(), "used in main");
    printf("call.dlopen=2\ncall.dlclose=1\ncall.on_exit=1\n");
    exit(3);
}
