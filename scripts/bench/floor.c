/* The least that a malloc/free interposer can do and still record a call with two stamps: forward,
 * two rdtsc, one 32-byte record into a warm ring of the thread's own. Nobody reads it.
 * -DSTAMPS=1: one stamp. Not a tool: the floor that the hooks are measured against. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <x86intrin.h>

#ifndef STAMPS
#define STAMPS 2
#endif
#define RING (1u << 20)
#define EXPORT __attribute__((visibility("default")))

struct record { uint64_t start, duration, address; uint32_t size, function; };
struct ring { uint64_t head; char *base; };

static __thread __attribute__((tls_model("initial-exec"))) struct ring mine;
extern void *__libc_malloc(size_t);
extern void __libc_free(void *);
static void *(*real_malloc)(size_t) = __libc_malloc;
static void (*real_free)(void *) = __libc_free;

__attribute__((constructor)) static void look_up(void) {
    real_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
    real_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
}

static __attribute__((noinline, cold)) void map(void) {
    mine.base = mmap(NULL, RING, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
}

static inline __attribute__((always_inline)) void note(uint64_t start, uint64_t end, void *p, size_t n, uint32_t f) {
    if (__builtin_expect(!mine.base, 0)) map();
    struct record *r = (struct record *)(mine.base + (mine.head & (RING - 1)));
    r->start = start;
    r->duration = end - start;
    r->address = (uint64_t)p;
    r->size = (uint32_t)n;
    r->function = f;
    __atomic_store_n(&mine.head, mine.head + sizeof *r, __ATOMIC_RELEASE);
}

EXPORT void *malloc(size_t n) {
    uint64_t start = STAMPS == 2 ? __rdtsc() : 0;
    void *p = real_malloc(n);
    note(start, __rdtsc(), p, n, 1);
    return p;
}

EXPORT void free(void *p) {
    uint64_t start = __rdtsc();
    real_free(p);
    note(start, STAMPS == 2 ? __rdtsc() : start, p, 0, 2);
}
