// Makes files under many umasks: their modes are as they must be, none of ours among them.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "must.h"

int main(void)
{
    const mode_t masks[] = {0, 022, 027, 077, 0777, 0111};
    int opens = 0;
    for (int i = 0; i < 6; i++) {
        umask(masks[i]);
        int file = open("umask.file", O_CREAT | O_EXCL | O_WRONLY, 0777);
        opens++;
        struct stat about;
        MUST(file == 3 && !fstat(file, &about));
        MUST((about.st_mode & 0777) == (0777 & ~masks[i]));
        printf("%03o: %03o\n", masks[i], about.st_mode & 0777);
        MUST(!close(file) && !unlink("umask.file"));
        void *volatile block = malloc(100);
        free(block);
        MUST(umask(masks[i]) == masks[i]);
    }
    printf("call.open=%d\ncall.close=%d\n", opens, opens);
    return 0;
}
