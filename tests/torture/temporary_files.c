// Makes temporary files and directories, renames, truncates and copies them; numbers and contents are right.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include "must.h"

int main(void)
{
    char name[] = "torture-XXXXXX", suffixed[] = "torture-XXXXXX.txt", folder[] = "torture-XXXXXX";
    int one = mkstemp(name), two = mkostemps(suffixed, 4, O_APPEND | O_CLOEXEC);
    MUST(one >= 0 && two >= 0 && mkdtemp(folder));
    FILE *unnamed = tmpfile();
    MUST(unnamed);
    printf("descriptors %d %d %d\n", one, two, fileno(unnamed));
    MUST(fprintf(unnamed, "%d", 12345) == 5 && !fseek(unnamed, 0, SEEK_SET));
    int number;
    MUST(fscanf(unnamed, "%d", &number) == 1 && number == 12345 && !fclose(unnamed));
    MUST(write(one, "0123456789", 10) == 10 && !ftruncate(one, 5) && lseek(one, 0, SEEK_SET) == 0);
    MUST(sendfile(two, one, NULL, 100) == -1 && errno == EINVAL); // O_APPEND is not allowed there.
    int unlinked = open(".", O_TMPFILE | O_RDWR, 0600);
    if (unlinked >= 0) {
        MUST(sendfile(unlinked, one, NULL, 100) == 5);
        MUST(!close(unlinked));
    }
    off_t start = 0;
    MUST(copy_file_range(one, &start, one, &(off_t){100}, 5, 0) == 5);
    struct stat about;
    MUST(!fstat(one, &about) && about.st_size == 105 && (about.st_mode & 0777) == 0600);
    char moved[100];
    snprintf(moved, sizeof moved, "%s/moved", folder);
    MUST(!rename(name, moved) && access(name, F_OK) == -1 && errno == ENOENT);
    MUST(!unlink(moved) && !rmdir(folder) && !unlink(suffixed) && !close(one) && !close(two));
    printf("call.mkstemp=1\ncall.mkostemps=1\ncall.tmpfile=1\ncall.fclose=1\n");
    return 0;
}
