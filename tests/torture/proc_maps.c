// Parses /proc/self/maps: finds its own code, data, stack, heap, libc; all lines can be parsed; none overlap.
//
// torture: libraries -pthread
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include "must.h"

static int data = 1;

int main(void)
{
    int local = 0, found = 0, lines = 0, libc = 0, program = 0;
    void *volatile block = malloc(100);
    FILE *maps = fopen("/proc/self/maps", "r");
    MUST(maps);
    static char line[8192];
    uint64_t end_before = 0;
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    MUST(length > 0);
    self[length] = 0;
    while (fgets(line, sizeof line, maps)) {
        uint64_t start, end, offset, inode;
        unsigned major, minor;
        char rights[5], path[4096] = "";
        int parsed = sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %4095[^\n]",
                            &start, &end, rights, &offset, &major, &minor, &inode, path);
        MUST(parsed >= 7 && start < end && start % 4096 == 0 && end % 4096 == 0 && start >= end_before);
        MUST(strchr("r-", rights[0]) && strchr("w-", rights[1]) && strchr("x-", rights[2]) && strchr("ps", rights[3]));
        end_before = end;
        lines++;
        libc += strstr(path, "libc.so.6") != NULL;
        program += !strcmp(path, self);
#define HAS(address) (start <= (uint64_t)(address) && (uint64_t)(address) < end)
        found |= HAS(&local) && !strcmp(path, "[stack]") ? 1 : 0;
        found |= HAS(block) && !strcmp(path, "[heap]") ? 2 : 0;
        found |= HAS(main) && rights[2] == 'x' && !strcmp(path, self) ? 4 : 0;
        found |= HAS(&data) && rights[1] == 'w' ? 8 : 0;
        // Nothing of the program is writable and executable.
        MUST(rights[1] == '-' || rights[2] == '-' || !*path || strcmp(path, self));
    }
    fclose(maps);
    free(block);
    MUST(found == 15 && libc >= 4 && program >= 3 && lines >= 15);
    // The C library reads the same file for this.
    pthread_attr_t attributes;
    MUST(!pthread_getattr_np(pthread_self(), &attributes));
    void *stack;
    size_t size;
    MUST(!pthread_attr_getstack(&attributes, &stack, &size));
    MUST((char *)&local >= (char *)stack && (char *)&local < (char *)stack + size);
    pthread_attr_destroy(&attributes);
    printf("all found\n");
    return 0;
}
