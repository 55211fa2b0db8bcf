// Two hundred short children, at most ten at a time; each allocates, opens and ends with a status of its own.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

enum { CHILDREN = 200, AT_ONCE = 10 };

int main(void)
{
    static pid_t children[CHILDREN];
    int started = 0, ended = 0, forks = 0;
    while (ended < CHILDREN) {
        while (started < CHILDREN && started - ended < AT_ONCE) {
            pid_t child = fork();
            MUST(child >= 0);
            if (child == 0) {
                void *volatile block = malloc(100 + (size_t)started);
                free(block);
                _exit(open("/dev/null", O_RDONLY) == 3 ? started % 251 : 255);
            }
            forks++;
            children[started++] = child;
        }
        int status;
        pid_t child = wait(&status);
        MUST(child > 0 && WIFEXITED(status));
        int which = 0;
        while (which < started && children[which] != child)
            which++;
        MUST(which < started && WEXITSTATUS(status) == which % 251);
        children[which] = -1;
        ended++;
    }
    printf("ended %d\ncall.fork=%d\n", ended, forks);
    return 0;
}
