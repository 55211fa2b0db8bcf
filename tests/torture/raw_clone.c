// Makes children by the system calls clone and clone3: like fork, like vfork, sharing memory on a stack of its own.
#define _GNU_SOURCE
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "must.h"

static volatile int shared;

static void ends_with(pid_t child, int expected)
{
    int status;
    MUST(child > 0);
    MUST(waitpid(child, &status, __WALL) == child);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == expected);
}

static int on_another_stack(void *argument)
{
    shared += *(int *)argument;
    return 5;
}

int main(void)
{
    // Copies of the process: what they allocate and write is theirs.
    for (int i = 0; i < 5; i++) {
        pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
        if (child == 0) {
            volatile char *block = malloc(100);
            block[99] = 1;
            free((void *)block);
            shared = 99;
            _exit(3);
        }
        ends_with(child, 3);
        struct clone_args arguments = {.exit_signal = SIGCHLD};
        child = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
        if (child == 0) {
            free(malloc(100));
            _exit(4);
        }
        ends_with(child, 4);
    }
    MUST(shared == 0);

    // The same memory, a stack of its own. What shares memory without being a thread may use no libc.
    size_t size = 1 << 16;
    char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(stack != MAP_FAILED);
    int value = 11;
    for (int i = 0; i < 5; i++) {
        ends_with(clone(on_another_stack, stack + size, CLONE_VM | SIGCHLD, &value), 5);
        ends_with(clone(on_another_stack, stack + size, CLONE_VM | CLONE_VFORK | SIGCHLD, &value), 5);
        // No signal at the end, and the descriptors shared.
        ends_with(clone(on_another_stack, stack + size, CLONE_VM | CLONE_FILES | CLONE_FS, &value), 5);
    }
    MUST(shared == 15 * 11);
    printf("shared %d\n", shared);
    printf("call.mmap=1\n");
    return 0;
}
