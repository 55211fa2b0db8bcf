// Prints from where the C and C++ run-times call the allocator: its own malloc is the program's, so
// every call passes here. Output: /proc/self/maps, an empty line, then one line per block that is
// still allocated: the deed that led to it, the function called, the size, the return address.
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <iconv.h>
#include <locale.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void __libc_free(void *);
char *__cxa_demangle(const char *, char *, size_t *, int *);

enum { ROOM = 65536 };
static struct block {
    void *at, *site;
    size_t size;
    const char *function, *deed;
} blocks[ROOM];
static size_t used;
static const char *volatile deed = "start"; // gcc knows that strdup reads no static variable

static void *keep(void *at, size_t size, const char *function, void *site) {
    if (at && used < ROOM) blocks[used++] = (struct block){at, site, size, function, deed};
    return at;
}
static void forget(void *at) {
    for (size_t i = used; at && i-- > 0;)
        if (blocks[i].at == at) {
            blocks[i].at = NULL;
            return;
        }
}
void *malloc(size_t size) {
    return keep(__libc_malloc(size), size, "malloc", __builtin_return_address(0));
}
void *calloc(size_t count, size_t size) {
    return keep(__libc_calloc(count, size), count * size, "calloc", __builtin_return_address(0));
}
void *realloc(void *old, size_t size) {
    forget(old);
    return keep(__libc_realloc(old, size), size, "realloc", __builtin_return_address(0));
}
void free(void *at) {
    forget(at);
    __libc_free(at);
}

static void nothing(void) {}
static void *wait_long(void *unused) { return pause(), unused; }
#define DO(name, ...) deed = #name; __VA_ARGS__; deed = "nothing"

int main(int count, char **words) {
    char *text = NULL, *line = NULL, **lines = &line;
    size_t length = 0;
    FILE *file, *wide;
    regex_t pattern;
    pthread_t thread;
    struct addrinfo *found;
    (void)count;
    DO(strdup, text = strdup("kept"));
    DO(asprintf, if (asprintf(&text, "%s", words[0]) < 0) return 1);
    DO(fopen, file = fopen("/proc/self/status", "r"));
    DO(getline, if (getline(lines, &length, file) < 0) return 1);
    DO(opendir, if (!opendir("/")) return 1);
    DO(realpath, if (!realpath("/proc/self", NULL)) return 1);
    DO(regcomp, if (regcomp(&pattern, "a(b|c)*d", REG_EXTENDED)) return 1);
    DO(getaddrinfo, if (getaddrinfo("127.0.0.1", "80", NULL, &found)) return 1);
    DO(demangle, text = __cxa_demangle("_ZN3one3twoERKSs", NULL, NULL, NULL));
    wide = fopen("/dev/null", "w");
    DO(fputws, fputws(L"wide", wide));
    DO(setlocale, setlocale(LC_ALL, "C.UTF-8"));
    DO(tzset, setenv("TZ", "UTC", 1); tzset());
    DO(setenv, setenv("CALL_SITES", "1", 1));
    DO(atexit, for (int i = 0; i < 100; i++) atexit(nothing));
    DO(dlsym, if (dlsym(RTLD_DEFAULT, "there_is_no_such_symbol")) return 1);
    DO(getpwnam, getpwnam("root"));
    DO(pthread_create, pthread_create(&thread, NULL, wait_long, NULL));
    DO(printf, printf("%s", ""); putchar('\n'));
    size_t all = used;
    file = fopen("/proc/self/maps", "r");
    while (getline(lines, &length, file) >= 0) fputs(line, stdout);
    putchar('\n');
    for (size_t i = 0; i < all; i++)
        if (blocks[i].at && strcmp(blocks[i].deed, "nothing"))
            printf("%s %s %zu %p\n", blocks[i].deed, blocks[i].function, blocks[i].size, blocks[i].site);
    fflush(stdout);
    _exit(0);
}
