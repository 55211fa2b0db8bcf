// Commits one fault, by its name: faults MODE. Linked with tolerant.c where glibc would abort.
#define _GNU_SOURCE
#include <dirent.h>
#include <stdlib.h>
#include "say.h"

static volatile size_t size = 48; // volatile: what the compiler cannot know, it cannot drop

static void double_free(void)
{
    char *block = malloc(size);
    char *between = malloc(size);
    free(block);
    free(between);
    free(block);
}

static void double_free_of_the_top(void)
{
    char *block = malloc(size);
    free(block);
    free(block); // glibc: "free(): double free detected", abort
}

static void free_of_the_stack(void)
{
    // No size before it: what free does must not depend on what was left on the stack.
    char local[64] = {0};
    char *volatile address = local + 16;
    free(address);
}

static void free_inside_a_block(void)
{
    char *block = malloc(size);
    free(block + 16);
    free(block);
}

static void free_of_the_old_half(void)
{
    char *old = malloc(size);
    char *volatile moved_from = old;
    char *fresh = realloc(old, 100 * size);
    if (fresh == moved_from)
        fail("realloc did not move");
    free(moved_from);
    free(fresh);
}

static void results_kept(void)
{
    char *copy = strdup("a copy of eighteen");
    char *text;
    if (asprintf(&text, "%d bottles", 99) < 0)
        fail("asprintf");
    char *line = NULL;
    size_t room = 0;
    FILE *hosts = fopen("/etc/passwd", "r");
    setvbuf(hosts, NULL, _IONBF, 0);
    if (getline(&line, &room, hosts) < 0)
        fail("getline");
    DIR *root = opendir("/");
    if (!copy || !hosts || !root)
        fail("one of the results");
    say("leaked.blocks", 5); // the copy, the text, the line, the stream, the directory
    say("leaked.descriptors", 2);
}

static void one_of_each_left(void)
{
    char *largest = malloc(123456);
    char *short_lived = malloc(1000);
    free(short_lived);
    char *left = calloc(10, 100);
    free(largest);
    if (!left)
        fail("calloc");
    say("leaked.blocks", 1);
    say("leaked.bytes", 1000);
    say("peak.bytes", 123456 + 1000); // the 1000 of either
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*commit)(void);
    } modes[] = {
        {"double_free", double_free},
        {"double_free_of_the_top", double_free_of_the_top},
        {"free_of_the_stack", free_of_the_stack},
        {"free_inside_a_block", free_inside_a_block},
        {"free_of_the_old_half", free_of_the_old_half},
        {"results_kept", results_kept},
        {"one_of_each_left", one_of_each_left},
    };
    for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof *modes; i++)
        if (!strcmp(argv[1], modes[i].name)) {
            modes[i].commit();
            return 0;
        }
    fail("usage");
}
