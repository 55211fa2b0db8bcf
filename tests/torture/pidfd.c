// Children by descriptor: pidfd_open, signals through it, poll for the end, waitid with P_PIDFD, clone3's own.
#define _GNU_SOURCE
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "must.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static void ends(int fd, int code, int status)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    MUST(poll(&polled, 1, 5000) == 1 && polled.revents == POLLIN);
    siginfo_t info;
    MUST(!waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED) && info.si_code == code && info.si_status == status);
    MUST(!close(fd));
}

int main(void)
{
    for (int i = 0; i < 10; i++) {
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0)
            for (;;)
                pause();
        int fd = (int)syscall(SYS_pidfd_open, child, 0);
        MUST(fd == 3);
        MUST(!syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
        ends(fd, CLD_KILLED, SIGKILL);
        int own = -1;
        struct clone_args arguments = {.flags = CLONE_PIDFD, .pidfd = (uintptr_t)&own, .exit_signal = SIGCHLD};
        child = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
        if (child == 0)
            syscall(SYS_exit_group, 17);
        MUST(child > 0 && own == 3);
        ends(own, CLD_EXITED, 17);
    }
    printf("call.fork=10\ncall.poll=20\ncall.close=20\n");
    return 0;
}
