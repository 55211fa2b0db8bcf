// A library with operators of its own gives blocks away, the program takes them back: operators BLOCKS.
// With -DLIBRARY the library, else the program.
#include <cstdio>
#include <cstdlib>

struct thing {
    long words[5];
};

thing *give(void);
thing *give_wrong(void);

#ifdef LIBRARY
__attribute__((noinline)) thing *give(void)
{
    return new thing;
}

__attribute__((noinline)) thing *give_wrong(void)
{
    return static_cast<thing *>(malloc(sizeof(thing)));
}
#else
int main(int, char **argv)
{
    int blocks = atoi(argv[1]);
    for (int i = 0; i < blocks; i++)
        delete give();
    delete give_wrong(); // WRONG
    printf("taken=%d\n", blocks);
}
#endif
