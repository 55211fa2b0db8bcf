// Switches address space randomisation off for a program it starts: that lies at the same places each time.
//
// torture: builds one
#include <stdint.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include "must.h"

int main(int argc, char **argv)
{
    int local = 0;
    if (argc > 1) {
        MUST(personality(0xffffffff) & ADDR_NO_RANDOMIZE);
        void *volatile block = malloc(100);
        free(block);
        // Where code and the C library lie is up to the kernel: the same for each start that is made alike.
        uintptr_t places[3] = {(uintptr_t)main, (uintptr_t)&local >> 12, (uintptr_t)block};
        MUST(write(atoi(argv[1]), places, sizeof places) == sizeof places);
        return 0;
    }
    int before = personality(0xffffffff);
    MUST(before != -1 && !(before & ADDR_NO_RANDOMIZE));
    uintptr_t places[5][3];
    for (int i = 0; i < 5; i++) {
        int ends[2], status;
        MUST(!pipe(ends));
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0) {
            MUST(personality((unsigned long)before | ADDR_NO_RANDOMIZE) != -1);
            char number[20];
            snprintf(number, sizeof number, "%d", ends[1]);
            execl("/proc/self/exe", argv[0], number, (char *)NULL);
            _exit(127);
        }
        MUST(read(ends[0], places[i], sizeof places[i]) == sizeof places[i]);
        MUST(waitpid(child, &status, 0) == child && status == 0);
        close(ends[0]);
        close(ends[1]);
        MUST(i == 0 || !memcmp(places[i], places[0], sizeof places[0]));
    }
    printf("always there\ncall.fork=5\ncall.pipe=5\n");
    return 0;
}
