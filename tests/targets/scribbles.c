// Writes over the memory that it shares with calltap while it makes tapped calls: scribbles REGION WAY SEED MILLISECONDS.
//
// REGION: header, controls, stacks (the index of the table), frames (its store), directory, names (its texts), plan,
// walks, words, tracer (the words of the first ring), all.
// WAY: bits (one bit, anywhere), bytes (random ones, anywhere), sweep (every byte in turn). A thread scribbles by plain
// stores, two others and now and then a child go on with calls. The end comes from the scribbler: status 3, without a call that is tapped.
// Says in which region how many writes were made only if calltap's memory is there, or else "none".
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include "say.h"

enum { PAGE = 4096, CONTROL = 192, SLACK = 128, RINGS = 4, ENTRIES = 1 << 16 };

static uint8_t *base, *end;
static uint64_t state;
static const char *way;
static long limit_ns;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1dULL;
}

static long now_ns(void)
{
    struct timespec time;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000L + time.tv_nsec;
}

static uint64_t pages(uint64_t bytes)
{
    return (bytes + PAGE - 1) / PAGE * PAGE;
}

// Finds the mapping; the file's name is calltap's own.
static uint8_t *mapping(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    unsigned long start = 0;
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "/memfd:calltap ") && sscanf(line, "%lx-", &start) == 1)
            break;
        else
            start = 0;
    if (maps)
        fclose(maps);
    return (uint8_t *)start;
}

// As in channel/src/segment/header.rs and layout.rs.
static void choose(const char *region, uint8_t *segment)
{
    const uint64_t *header = (const uint64_t *)segment;
    uint64_t ring_count = header[3], capacity = header[4];
    uint64_t controls = PAGE;
    uint64_t stacks = controls + pages(ring_count * CONTROL);
    uint64_t directory = stacks + pages(header[5]);
    // The store behind a head of 8 words and an index of 2 words a slot; each slot has 16 words of the store.
    uint64_t frames = stacks + 64 + (header[5] / 8 - 8) / 18 * 16;
    uint64_t names = directory + 64 + ENTRIES * 32;
    uint64_t plan = directory + pages(header[6]);
    uint64_t counts = plan + pages(header[7]);
    uint64_t walks = counts + header[8] * ring_count;
    uint64_t words = walks + pages(header[9] * ring_count);
    uint64_t stride = pages((capacity + SLACK) * 8);
    // Enough of each part that what is used of it is hit often.
    struct { const char *name; uint64_t from, to; } parts[] = {
        {"header", 0, 384},
        {"controls", controls, controls + RINGS * CONTROL},
        {"stacks", stacks, stacks + (header[5] ? 1 << 20 : 0)},
        {"frames", frames, frames + (header[5] ? 1 << 14 : 0)},
        {"directory", directory, directory + (header[6] ? 64 + ENTRIES * 32 : 0)},
        {"names", names, names + (header[6] ? 1 << 14 : 0)},
        {"plan", plan, plan + header[7]},
        {"walks", walks, walks + header[9] * RINGS},
        {"words", words + stride, words + RINGS * stride},
        {"tracer", words, words + 16384},
        {"all", 0, words + RINGS * stride},
    };
    for (size_t index = 0; index < sizeof parts / sizeof *parts; index++)
        if (!strcmp(parts[index].name, region)) {
            base = segment + parts[index].from;
            end = segment + parts[index].to;
        }
    if (base == end)
        syscall(SYS_exit_group, 4);
}

static void *scribble(void *unused)
{
    long began = now_ns();
    uint64_t length = (uint64_t)(end - base), at = next() % length;
    volatile uint8_t *bytes = base;
    while (now_ns() - began < limit_ns)
        for (int i = 0; i < 64; i++)
            if (*way == 's') {
                bytes[at] = (uint8_t)next();
                at = (at + 1) % length;
            } else if (way[1] == 'i') {
                uint64_t random = next();
                bytes[(random >> 8) % length] ^= (uint8_t)(1 << (random & 7));
            } else {
                uint64_t random = next();
                bytes[(random >> 8) % length] = (uint8_t)random;
            }
    syscall(SYS_exit_group, 3);
    return unused;
}

static void *works(void *unused)
{
    for (;;) {
        void *block = malloc(100), *other = calloc(10, 10);
        block = realloc(block, 1000);
        free(block);
        free(other);
        close(open("/dev/null", O_RDONLY));
        if (unused)
            continue;
        pid_t child = fork();
        if (child == 0) {
            free(malloc(50));
            syscall(SYS_exit_group, 0);
        }
        if (child > 0)
            waitpid(child, NULL, 0);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5)
        fail("usage");
    way = argv[2];
    state = strtoull(argv[3], NULL, 10) * 0x9e3779b97f4a7c15ULL + 1;
    limit_ns = atol(argv[4]) * 1000000L;
    uint8_t *segment = mapping();
    if (!segment) {
        printf("none\n");
        return 3;
    }
    printf("%s\n", argv[1]);
    fflush(stdout);
    free(malloc(1));
    choose(argv[1], segment);
    pthread_t one, two;
    if (pthread_create(&one, NULL, scribble, NULL) || pthread_create(&two, NULL, works, &one))
        fail("pthread_create");
    works(NULL);
}
