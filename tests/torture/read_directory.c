// Reads a directory of 300 files: each comes once, in the same order each time, also after rewinding.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "must.h"

enum { FILES = 300 };

int main(void)
{
    char folder[] = "folderXXXXXX", name[300];
    MUST(mkdtemp(folder) && !chdir(folder));
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "file-%d", i);
        int file = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);
        MUST(file == 3 && !close(file));
    }
    DIR *directory = opendir(".");
    MUST(directory && dirfd(directory) == 3);
    static int order[2][FILES];
    for (int round = 0; round < 2; round++) {
        char seen[FILES] = {0};
        int count = 0;
        for (struct dirent *entry; (entry = readdir(directory));) {
            if (entry->d_name[0] == '.')
                continue;
            int number = atoi(entry->d_name + 5);
            MUST(!seen[number]);
            seen[number] = 1;
            order[round][count++] = number;
        }
        MUST(count == FILES);
        rewinddir(directory);
    }
    MUST(!memcmp(order[0], order[1], sizeof order[0]) && !closedir(directory));
    struct dirent **entries;
    int count = scandir(".", &entries, NULL, versionsort);
    MUST(count == FILES + 2 && !strcmp(entries[FILES + 1]->d_name, "file-299"));
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.')
            MUST(!unlink(entries[i]->d_name));
        free(entries[i]);
    }
    free(entries);
    MUST(!chdir("..") && !rmdir(folder));
    printf("call.opendir=1\ncall.closedir=1\ncall.open=%d\ncall.close=%d\ncall.free=%d\n", FILES, FILES, FILES + 3);
    return 0;
}
