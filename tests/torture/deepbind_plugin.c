// Uses its own malloc only if it is bound deeply; asks the C library for everything else.
#include <stdlib.h>
#include <string.h>

static int own;
static char room[1 << 16];
static size_t used;

void *malloc(size_t size)
{
    own++;
    void *block = room + used;
    used += (size + 15) & ~(size_t)15;
    return used <= sizeof room ? block : NULL;
}

void free(void *block)
{
    (void)block;
    own++;
}

int plugin_own_calls(void) { return own; }

int plugin_work(void)
{
    int before = own;
    char *volatile block = malloc(100);
    memset(block, 1, 100);
    free(block);
    return own - before;
}
