// A strict sandbox: write, exit and what the allocator needs; anything else kills.
#ifndef SANDBOX_H
#define SANDBOX_H
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "must.h"

#define ALLOW(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

#define REFUSE(number) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), \
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

// Enters it, after one call of malloc and one of free: the allocator draws a random number the first time. What is given
// (ALLOW, REFUSE) comes before the rest.
#define ENTER_SANDBOX(...) do { \
    struct sock_filter filter[] = { \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)), __VA_ARGS__ \
        ALLOW(SYS_write), ALLOW(SYS_exit_group), ALLOW(SYS_brk), ALLOW(SYS_mmap), ALLOW(SYS_munmap), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), \
    }; \
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter}; \
    void *volatile block = malloc(100); \
    free(block); \
    MUST(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); \
    MUST(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)); \
} while (0)

static inline void enter_sandbox(void)
{
    ENTER_SANDBOX();
}

#endif
