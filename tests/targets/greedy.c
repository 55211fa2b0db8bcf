// Asks for a lot of memory at once, as a server does that makes a table with a row for each descriptor it
// may open: greedy HOW BYTES_EACH MORE [killed]. HOW says which limit is read, by whom, and how the memory is
// asked for; BYTES_EACH are for each descriptor, MORE bytes come on top or are all. Says the limit, the size and
// whether it was given; nothing is touched.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include "say.h"

static size_t each, more;

static void answer(unsigned long long limit, size_t bytes, void *memory)
{
    say("limit", (long long)limit);
    say("bytes", (long long)bytes);
    say("given", memory != NULL && memory != MAP_FAILED);
    say("tid", gettid());
}

static __attribute__((noinline)) void by_getrlimit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        fail("getrlimit");
    void *table = calloc(limit.rlim_cur, each); // LEAK getrlimit
    answer(limit.rlim_cur, limit.rlim_cur * each, table);
}

static __attribute__((noinline)) void by_prlimit(void)
{
    struct rlimit limit;
    if (prlimit(getpid(), RLIMIT_NOFILE, NULL, &limit))
        fail("prlimit");
    size_t bytes = limit.rlim_cur * each + more;
    answer(limit.rlim_cur, bytes, malloc(bytes)); // LEAK prlimit
}

static __attribute__((noinline)) void by_sysconf(void)
{
    errno = EDOM;
    long limit = sysconf(_SC_OPEN_MAX);
    if (limit < 0 || errno != EDOM)
        fail("sysconf");
    void *table = realloc(NULL, limit * each); // LEAK sysconf
    answer(limit, limit * each, table);
}

static __attribute__((noinline)) void by_getdtablesize(void)
{
    size_t limit = getdtablesize();
    void *table = aligned_alloc(4096, limit * each); // LEAK getdtablesize
    answer(limit, limit * each, table);
}

static __attribute__((noinline)) void mapped(size_t bytes, int protection, int flags)
{
    void *table = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0); // LEAK mmap
    answer(0, bytes, table);
}

static __attribute__((noinline)) void by_malloc(size_t bytes)
{
    void *table = malloc(bytes); // LEAK malloc
    answer(0, bytes, table);
}

static void *thread(void *argument)
{
    by_malloc(*(size_t *)argument);
    return NULL;
}

int main(int count, char **arguments)
{
    if (count < 4)
        fail("greedy HOW BYTES_EACH MORE");
    const char *how = arguments[1];
    each = strtoul(arguments[2], NULL, 0);
    more = strtoul(arguments[3], NULL, 0);
    const int both = PROT_READ | PROT_WRITE;
    if (!strcmp(how, "getrlimit"))
        by_getrlimit();
    else if (!strcmp(how, "prlimit"))
        by_prlimit();
    else if (!strcmp(how, "sysconf"))
        by_sysconf();
    else if (!strcmp(how, "getdtablesize"))
        by_getdtablesize();
    else if (!strcmp(how, "mmap"))
        mapped(more, both, 0);
    else if (!strcmp(how, "reserve"))
        mapped(more, PROT_NONE, 0);
    else if (!strcmp(how, "noreserve"))
        mapped(more, both, MAP_NORESERVE);
    else if (!strcmp(how, "malloc"))
        by_malloc(more);
    else if (!strcmp(how, "thread")) {
        // The limit is read by one thread, the memory asked for by another.
        pthread_t other;
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit))
            fail("getrlimit");
        size_t bytes = limit.rlim_cur * each;
        say("reader", gettid());
        if (pthread_create(&other, NULL, thread, &bytes) || pthread_join(other, NULL))
            fail("pthread_create");
        say("nofile", (long long)limit.rlim_cur);
    } else
        fail("HOW");
    if (count > 4)
        kill(getpid(), SIGKILL);
    return 0;
}
