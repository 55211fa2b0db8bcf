// Builds a graph of NODES heap blocks, loses every tenth, frees the rest: graph NODES.
//
// What it prints as leaked is what no pointer leads to any more; it came from LEAK nodes.
#include <stdlib.h>
#include "say.h"

enum { EDGES = 3 };

struct node {
    size_t bytes;
    struct node *edge[EDGES];
};

static size_t draw(size_t below)
{
    static unsigned long long state = 88172645463325252ULL; // xorshift, so that every run is the same
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (size_t)(state % below);
}

static int is_lost(size_t index)
{
    return index % 10 == 7;
}

int main(int argc, char **argv)
{
    size_t nodes = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
    struct node **all = malloc(nodes * sizeof *all);
    for (size_t i = 0; i < nodes; i++) {
        size_t bytes = sizeof(struct node) + draw(200);
        all[i] = malloc(bytes); // LEAK nodes
        all[i]->bytes = bytes;
        for (int e = 0; e < EDGES; e++)
            all[i]->edge[e] = i ? all[draw(i)] : NULL;
    }
    unsigned long long blocks = 0, bytes = 0;
    for (size_t i = 0; i < nodes; i++)
        if (is_lost(i)) {
            blocks++;
            bytes += all[i]->bytes;
            all[i] = NULL;
        }
    for (size_t i = 0; i < nodes; i++)
        free(all[i]);
    free(all);
    say("leaked.blocks", (long long)blocks);
    say("leaked.bytes", (long long)bytes);
    return 0;
}
