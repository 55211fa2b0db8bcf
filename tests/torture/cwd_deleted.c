// Works in a directory that has been deleted: getcwd fails, programs still start, files cannot be made.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "must.h"

int main(void)
{
    char place[4096];
    MUST(!mkdir("gone", 0700) && !chdir("gone"));
    MUST(getcwd(place, sizeof place) && !rmdir(place));
    MUST(!getcwd(place, sizeof place) && errno == ENOENT);
    MUST(open("file", O_CREAT | O_WRONLY, 0600) == -1 && errno == ENOENT);
    void *volatile block = malloc(100);
    free(block);
    printf("works on\n");
    fflush(stdout);
    MUST(system("/bin/echo from nowhere") == 0);
    printf("call.system=1\n");
    return 0;
}
