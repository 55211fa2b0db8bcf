// Work that favours one allocator or setting over another: favours cross|churn|arenas AMOUNT.
//
// `cross`: blocks of 1 to 8 KiB go from the threads that allocate them to others that free them, AMOUNT batches each.
// `churn`: AMOUNT blocks around the threshold from which glibc maps each on its own, a few at one time.
// `arenas`: AMOUNT threads, all alive, each fills 4 MiB when it is its turn, and keeps one block.
//
// Each block is filled, and what is read back becomes the sum that is printed: it depends on nothing but AMOUNT.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include "say.h"

enum { PAIRS = 4, BATCH = 256, WAITING = 4, AT_ONCE = 8, TURN_BLOCKS = 2048, TURN_BYTES = 2048, MOST_THREADS = 512 };

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

// Where the block's second half begins.
static size_t middle(size_t size)
{
    return size / 2 & ~(size_t)15;
}

// A number at either end of the block, in its middle, and one for each page.
static void fill(char *block, size_t size, uint32_t number)
{
    for (size_t at = 0; at + sizeof number <= size; at += 4096)
        memcpy(block + at, &number, sizeof number);
    memcpy(block + middle(size), &number, sizeof number);
    memcpy(block + size - sizeof number, &number, sizeof number);
}

static uint64_t sum(const char *block, size_t size)
{
    uint64_t all = 0;
    uint32_t number;
    for (size_t at = 0; at + sizeof number <= size; at += 4096) {
        memcpy(&number, block + at, sizeof number);
        all += number;
    }
    memcpy(&number, block + middle(size), sizeof number);
    all += number;
    memcpy(&number, block + size - sizeof number, sizeof number);
    return all + number;
}

static char *filled(size_t size, uint32_t number)
{
    char *block = malloc(size);
    if (!block)
        fail("malloc");
    fill(block, size, number);
    return block;
}

struct batch {
    char *blocks[BATCH];
    size_t sizes[BATCH];
};

static struct queue {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct batch batches[WAITING];
    long given, taken;
    uint64_t sum;
} queues[PAIRS];
static long amount;

static void *gives(void *argument)
{
    struct queue *queue = argument;
    uint32_t random = (uint32_t)(queue - queues);
    for (long i = 0; i < amount; i++) {
        pthread_mutex_lock(&queue->lock);
        while (queue->given - queue->taken == WAITING)
            pthread_cond_wait(&queue->changed, &queue->lock);
        pthread_mutex_unlock(&queue->lock);
        struct batch *batch = &queue->batches[i % WAITING];
        for (int at = 0; at < BATCH; at++) {
            batch->sizes[at] = 1024 + next_random(&random) % 7168;
            batch->blocks[at] = filled(batch->sizes[at], random);
        }
        pthread_mutex_lock(&queue->lock);
        queue->given++;
        pthread_cond_signal(&queue->changed);
        pthread_mutex_unlock(&queue->lock);
    }
    return NULL;
}

static void *takes(void *argument)
{
    struct queue *queue = argument;
    for (long i = 0; i < amount; i++) {
        pthread_mutex_lock(&queue->lock);
        while (queue->given == queue->taken)
            pthread_cond_wait(&queue->changed, &queue->lock);
        pthread_mutex_unlock(&queue->lock);
        struct batch *batch = &queue->batches[i % WAITING];
        for (int at = 0; at < BATCH; at++) {
            queue->sum += sum(batch->blocks[at], batch->sizes[at]);
            free(batch->blocks[at]);
        }
        pthread_mutex_lock(&queue->lock);
        queue->taken++;
        pthread_cond_signal(&queue->changed);
        pthread_mutex_unlock(&queue->lock);
    }
    return NULL;
}

static uint64_t cross(void)
{
    pthread_t givers[PAIRS], takers[PAIRS];
    uint64_t all = 0;
    for (int i = 0; i < PAIRS; i++) {
        pthread_mutex_init(&queues[i].lock, NULL);
        pthread_cond_init(&queues[i].changed, NULL);
        if (pthread_create(&givers[i], NULL, gives, &queues[i]) || pthread_create(&takers[i], NULL, takes, &queues[i]))
            fail("pthread_create");
    }
    for (int i = 0; i < PAIRS; i++) {
        pthread_join(givers[i], NULL), pthread_join(takers[i], NULL);
        all += queues[i].sum;
    }
    return all;
}

static uint64_t churn(void)
{
    char *blocks[AT_ONCE] = {0};
    size_t sizes[AT_ONCE] = {0};
    uint64_t all = 0;
    uint32_t random = 1;
    for (long i = 0; i < amount + AT_ONCE; i++) {
        int at = (int)(i % AT_ONCE);
        if (blocks[at])
            all += sum(blocks[at], sizes[at]);
        free(blocks[at]);
        blocks[at] = NULL;
        if (i < amount) {
            sizes[at] = (160 << 10) + next_random(&random) % (96 << 10);
            blocks[at] = filled(sizes[at], random);
        }
    }
    return all;
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long turn;
static uint64_t turns_sum;

static void *has_turn(void *argument)
{
    long number = (long)argument;
    char *blocks[TURN_BLOCKS];
    pthread_mutex_lock(&lock);
    while (turn != number)
        pthread_cond_wait(&changed, &lock);
    for (int at = 0; at < TURN_BLOCKS; at++)
        blocks[at] = filled(TURN_BYTES, (uint32_t)(number * TURN_BLOCKS + at));
    // The last one stays, so that the memory below it cannot be given back.
    for (int at = 0; at < TURN_BLOCKS; at++) {
        turns_sum += sum(blocks[at], TURN_BYTES);
        if (at < TURN_BLOCKS - 1)
            free(blocks[at]);
    }
    turn++;
    pthread_cond_broadcast(&changed);
    while (turn < amount)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static uint64_t arenas(void)
{
    pthread_t threads[MOST_THREADS];
    if (amount > MOST_THREADS)
        fail("usage");
    // Nobody begins before all are there: what making a thread allocates has its place in the order, too.
    pthread_mutex_lock(&lock);
    for (long i = 0; i < amount; i++)
        if (pthread_create(&threads[i], NULL, has_turn, (void *)i))
            fail("pthread_create");
    pthread_mutex_unlock(&lock);
    for (long i = 0; i < amount; i++)
        pthread_join(threads[i], NULL);
    return turns_sum;
}

int main(int argc, char **argv)
{
    amount = argc == 3 ? atol(argv[2]) : 0;
    if (amount < 1)
        fail("usage");
    uint64_t (*work)(void) = !strcmp(argv[1], "cross") ? cross : !strcmp(argv[1], "churn") ? churn : arenas;
    if (work == arenas && strcmp(argv[1], "arenas") != 0)
        fail("usage");
    say("sum", (long long)work());
    return 0;
}
