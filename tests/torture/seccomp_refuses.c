// A sandbox that refuses what it does not know with EPERM (openat, socket, clone): the program gets those errors.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>
#include "sandbox.h"

int main(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        REFUSE(SYS_open), REFUSE(SYS_openat), REFUSE(SYS_socket), REFUSE(SYS_clone), REFUSE(SYS_clone3), REFUSE(SYS_fork),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    MUST(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    MUST(!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
    for (int i = 0; i < 10; i++) {
        MUST(open("/dev/null", O_RDONLY) == -1 && errno == EPERM);
        MUST(socket(AF_UNIX, SOCK_STREAM, 0) == -1 && errno == EPERM);
        MUST(fork() == -1 && errno == EPERM);
        MUST(fopen("/dev/null", "r") == NULL && errno == EPERM);
        int copy = dup(1);
        MUST(copy == 3 && !close(copy));
        void *volatile block = malloc(100000);
        free(block);
    }
    printf("refused\ncall.open=10\ncall.socket=10\ncall.fork=10\ncall.fopen=10\ncall.dup=10\ncall.close=10\n");
    return 0;
}
