// What the C library says of its allocator: sizes, alignments, content, errno. Says `kept` if it is so.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include "say.h"

enum { THREADS = 4, BLOCKS = 300 };

static void *volatile seen; // So that no allocation is left out.

static void expect(int holds, const char *what)
{
    if (!holds)
        fail(what);
}

static int is_aligned(const void *block, size_t alignment)
{
    return block && (uintptr_t)block % alignment == 0;
}

// All of a block's room is the caller's.
static void use(void *block, size_t size, const char *what)
{
    expect(block && malloc_usable_size(block) >= size, what);
    memset(block, 1, malloc_usable_size(block));
    free(block);
}

static void alignments(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t alignment = sizeof(void *); alignment <= 1 << 21; alignment *= 2)
        for (size_t size = 0; size < 20000; size += 1237) {
            void *block = NULL;
            expect(posix_memalign(&block, alignment, size) == 0, "posix_memalign");
            expect(is_aligned(block, alignment), "posix_memalign's alignment");
            use(block, size, "posix_memalign's size");
            expect(is_aligned(block = memalign(alignment, size), alignment), "memalign");
            use(block, size, "memalign's size");
            expect(is_aligned(block = aligned_alloc(alignment, size), alignment), "aligned_alloc");
            use(block, size, "aligned_alloc's size");
        }
    void *block = valloc(5000);
    expect(is_aligned(block, page), "valloc");
    use(block, 5000, "valloc's size");
    expect(is_aligned(block = pvalloc(1), page), "pvalloc");
    use(block, page, "pvalloc's size");
    block = &page;
    expect(posix_memalign(&block, 3, 3) == EINVAL && block == &page, "an alignment that is none");
}

static void too_much(void)
{
    volatile size_t half = SIZE_MAX / 2, all = SIZE_MAX;
    errno = 0;
    seen = malloc(all);
    expect(!seen && errno == ENOMEM, "malloc of too much");
    errno = 0;
    seen = calloc(half, 3);
    expect(!seen && errno == ENOMEM, "calloc of too much");
    char *kept = malloc(3);
    memcpy(kept, "ab", 3);
    errno = 0;
    seen = reallocarray(kept, half, 3);
    expect(!seen && errno == ENOMEM && !strcmp(kept, "ab"), "reallocarray of too much");
    errno = 77;
    free(kept);
    free(NULL);
    expect(errno == 77, "free keeps errno");
}

static void contents(void)
{
    char *block = NULL;
    size_t filled = 0;
    for (size_t size = 1; size < 300000; size = size * 3 / 2 + 1) {
        block = realloc(block, size);
        for (size_t at = 0; at < filled; at++)
            expect(block[at] == (char)at, "realloc keeps what is there");
        for (filled = 0; filled < size; filled++)
            block[filled] = (char)filled;
    }
    block = realloc(block, 100);
    for (size_t at = 0; at < 100; at++)
        expect(block[at] == (char)at, "a smaller realloc, too");
    expect(realloc(block, 0) == NULL, "realloc to nothing");
    for (size_t size = 1; size < 300000; size = size * 3 + 1) {
        char *zeros = calloc(size, 1);
        for (size_t at = 0; at < size; at++)
            expect(zeros[at] == 0, "calloc's zeros");
        use(zeros, size, "calloc's size");
    }
}

// Blocks of several threads at one time are different memory.
static void *own_blocks(void *number)
{
    unsigned char *blocks[BLOCKS], mark = (unsigned char)(uintptr_t)number;
    for (size_t at = 0; at < BLOCKS; at++) {
        blocks[at] = malloc(at + 1);
        memset(blocks[at], mark, at + 1);
    }
    for (size_t at = 0; at < BLOCKS; at++) {
        for (size_t byte = 0; byte <= at; byte++)
            expect(blocks[at][byte] == mark, "a block of one's own");
        free(blocks[at]);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    alignments();
    too_much();
    contents();
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, own_blocks, (void *)(i + 1)))
            fail("pthread_create");
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    say("kept", 1);
    return 0;
}
