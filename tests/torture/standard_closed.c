// Closes stdin, stdout and stderr and starts itself so: the next descriptors are 0, 1 and 2, and stay the program's.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

int main(int argc, char **argv)
{
    if (argc > 1) {
        // Nothing is open but the pipe at 9; nobody has taken a free number.
        void *volatile block = malloc(100);
        for (int fd = 0; fd < 9; fd++)
            if (fcntl(fd, F_GETFD) != -1)
                return 20 + fd;
        for (int fd = 0; fd < 3; fd++)
            if (open("/dev/null", O_RDWR) != fd)
                return 40 + fd;
        free(block);
        return write(9, "right", 5) == 5 ? 0 : 60;
    }
    int ends[2];
    MUST(!pipe(ends));
    printf("pipe %d %d\n", ends[0], ends[1]);
    fflush(stdout);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        MUST(dup2(ends[1], 9) == 9);
        for (int fd = 0; fd < 9; fd++)
            close(fd);
        execl("/proc/self/exe", argv[0], "closed", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    char answer[6] = "";
    ssize_t length = read(ends[0], answer, 5);
    int status;
    MUST(waitpid(child, &status, 0) == child && WIFEXITED(status));
    printf("%s, status %d\n", answer, WEXITSTATUS(status));
    printf("call.pipe=1\ncall.fork=1\ncall.dup2=1\n");
    return length != 5 || WEXITSTATUS(status) != 0;
}
