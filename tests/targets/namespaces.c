// A plugin that is loaded into namespaces of its own, with a C library of its own.
//
//   namespaces PLUGIN now|lazy LOADS ROUNDS      one after the other
//   namespaces PLUGIN both LOADS ROUNDS          two at a time: only of the first one is said what it does
//
// The plugin counts its calls. It has no thread-local variables: glibc frees a thread's by the C library of whoever gets
// its stack next, not by the one that gave them.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "say.h"

#ifdef PLUGIN
struct counts {
    long malloc, calloc, realloc, strdup, free, open, close, kept;
};

static void round_of_calls(struct counts *made, long round)
{
    char *block = malloc(100);
    block = realloc(block, 1000 + round);
    free(block);
    free(calloc(10, 10));
    free(strdup("some text"));
    // One malloc is strdup's.
    *made = (struct counts){made->malloc + 2, made->calloc + 1, made->realloc + 1, made->strdup + 1, made->free + 3,
                            made->open + 2, made->close + 1, made->kept + 1};
    void *volatile kept = malloc(77);
    made->malloc += kept != NULL;
    int fd = open("/dev/null", O_RDONLY);
    errno = 4321;
    close(fd);
    if (errno != 4321)
        fail("errno after close");
    if (open("/nowhere/at all", O_RDONLY) != -1 || errno != ENOENT)
        fail("errno after open");
}

struct job {
    struct counts *made;
    long rounds;
};

static void *in_thread(void *argument)
{
    struct job *job = argument;
    for (long i = 0; i < job->rounds; i++)
        round_of_calls(job->made, i);
    return NULL;
}

__attribute__((visibility("default"))) void work(struct counts *counts, long rounds)
{
    struct job job = {counts, rounds};
    pthread_t thread;
    in_thread(&job);
    if (pthread_create(&thread, NULL, in_thread, &job) != 0 || pthread_join(thread, NULL) != 0)
        fail("a thread");
}
#else
struct counts {
    long malloc, calloc, realloc, strdup, free, open, close, kept;
};

static void *load(const char *plugin, int how)
{
    void *loaded = dlmopen(LM_ID_NEWLM, plugin, how);
    if (!loaded)
        fail(dlerror());
    return loaded;
}

static void work(void *plugin, struct counts *counts, long rounds)
{
    void (*entry)(struct counts *, long) = (void (*)(struct counts *, long))dlsym(plugin, "work");
    errno = 1234;
    entry(counts, rounds);
    if (errno != 1234)
        fail("errno of the program");
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    int how = strcmp(argv[2], "now") == 0 ? RTLD_NOW : RTLD_LAZY;
    long loads = atol(argv[3]), rounds = atol(argv[4]);
    struct counts made = {0}, unseen = {0};
    for (long i = 0; i < loads; i++) {
        void *plugin = load(argv[1], how);
        void *second = strcmp(argv[2], "both") == 0 ? load(argv[1], how) : NULL;
        if (second) {
            work(second, &unseen, rounds);
            work(plugin, &made, rounds);
            dlclose(plugin);
            work(second, &unseen, rounds);
            dlclose(second);
        } else {
            work(plugin, &made, rounds);
            dlclose(plugin);
        }
    }
    say("call.malloc", made.malloc);
    say("call.calloc", made.calloc);
    say("call.realloc", made.realloc);
    say("call.strdup", made.strdup);
    say("call.free", made.free);
    say("call.open", made.open);
    say("call.close", made.close);
    say("kept.blocks", made.kept);
    say("kept.bytes", made.kept * 77);
    return 0;
}
#endif
