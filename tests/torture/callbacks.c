// Functions that call back: qsort, bsearch, tsearch, scandir, pthread_once, fopencookie, atexit.
//
// torture: libraries -pthread
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <search.h>
#include <string.h>

#include "check.h"

static long compared, walked, wrote, called_once, accepted;

static int compare(const void *a, const void *b)
{
    compared++;
    free(sunk(malloc(16)));
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int compare_keys(const void *a, const void *b) { return free(sunk(malloc(16))), compared++, strcmp(a, b); }
static void walk(const void *node, VISIT visit, int depth) { (void)node, (void)depth, walked += visit == preorder || visit == leaf; }
static void once(void) { free(sunk(malloc(16))), called_once++; }
static int accept_entry(const struct dirent *entry) { return accepted += 1, strcmp(entry->d_name, "self") == 0; }
static ssize_t write_cookie(void *cookie, const char *text, size_t size) { return (void)cookie, (void)text, wrote += (long)size, (ssize_t)size; }
static void at_end(void) { puts("at exit"); }

int main(void)
{
    const char *words[] = {"pear", "apple", "plum", "fig", "lime", "kiwi", "date", "nut"};
    char *key = (char *)words[3];
    qsort(words, 8, sizeof *words, compare);
    EXPECT(strcmp(words[0], "apple") == 0 && strcmp(words[7], "plum") == 0);
    EXPECT(bsearch(&key, words, 8, sizeof *words, compare) != NULL);
    void *tree = NULL;
    for (int i = 0; i < 8; i++)
        EXPECT(tsearch(words[i], &tree, compare_keys) != NULL);
    twalk(tree, walk);
    for (int i = 0; i < 8; i++)
        EXPECT(tdelete(words[i], &tree, compare_keys) != NULL);
    pthread_once_t control = PTHREAD_ONCE_INIT;
    pthread_once(&control, once);
    pthread_once(&control, once);
    struct dirent **entries;
    int found = scandir("/proc", &entries, accept_entry, alphasort);
    EXPECT(found == 1 && accepted > 1);
    free(entries[0]);
    free(entries);
    cookie_io_functions_t functions = {NULL, write_cookie, NULL, NULL};
    FILE *stream = fopencookie(NULL, "w", functions);
    fprintf(stream, "%d%s", 12, "345");
    EXPECT(fclose(stream) == 0 && wrote == 5);
    EXPECT(walked == 8 && called_once == 1);
    atexit(at_end);
    printf("compared %ld\ncall.malloc=%ld\ncall.free=%ld\ncall.fclose=1\n", compared, compared + 1, compared + 3);
    return 0;
}
