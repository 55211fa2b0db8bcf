// siglongjmp out of a handler that has interrupted tapped calls anywhere in them.
//
// torture: loses 300
// torture: repeat 5
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"

static sigjmp_buf out;
static volatile sig_atomic_t armed;

static void alarmed(int number)
{
    (void)number;
    if (armed) {
        armed = 0;
        siglongjmp(out, 7);
    }
}

int main(void)
{
    int ends[2];
    char byte;
    volatile long jumps = 0, blocks = 0;
    EXPECT(pipe(ends) == 0);
    struct sigaction action = {.sa_handler = alarmed};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval storm = {{0, 400}, {0, 400}}, calm = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &storm, NULL);
    while (jumps < 300) {
        int came = sigsetjmp(out, 1);
        if (came) {
            EXPECT(came == 7);
            jumps++;
            // Nothing was in the middle of the heap: what was left are calls of the kernel.
            void *block = sunk(malloc(100));
            blocks++;
            free(block);
            continue;
        }
        armed = 1;
        for (;;) {
            switch (jumps % 3) {
            case 0:
                (void)!read(ends[0], &byte, 1);
                break;
            case 1:
                poll(NULL, 0, 1000);
                break;
            default:
                // Never long in the kernel: the signal finds the way there and back.
                EXPECT(close(-1) == -1 && write(ends[1], &byte, 0) == 0 && dup2(ends[0], ends[0]) == ends[0]);
                EXPECT(fcntl(ends[0], F_GETFD) == 0 && lseek(-1, 0, SEEK_SET) == -1 && strlen(strchr("a/b", '/')) == 2);
            }
        }
    }
    setitimer(ITIMER_REAL, &calm, NULL);
    printf("jumps %ld, next descriptor %d\ncall.malloc=%ld\ncall.free=%ld\n", jumps, open("/dev/null", O_RDONLY), blocks, blocks);
    return 0;
}
