// A strict sandbox that a new program inherits: it may do what the loader does, and is under load.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/wait.h>
#include "sandbox.h"

int main(int argc, char **argv)
{
    if (argc < 3) {
        char *const arguments[] = {argv[0], "in", "it", NULL};
        // Loader and C library; the last line is what calltap makes while the program begins.
        ENTER_SANDBOX(ALLOW(SYS_execve), ALLOW(SYS_access), ALLOW(SYS_faccessat), ALLOW(SYS_faccessat2), ALLOW(SYS_open),
            ALLOW(SYS_read), ALLOW(SYS_pread64), ALLOW(SYS_fstat), ALLOW(SYS_newfstatat), ALLOW(SYS_statx), ALLOW(SYS_stat),
            ALLOW(SYS_mprotect), ALLOW(SYS_arch_prctl), ALLOW(SYS_set_tid_address), ALLOW(SYS_set_robust_list), ALLOW(SYS_rseq),
            ALLOW(SYS_prlimit64), ALLOW(SYS_getrandom), ALLOW(SYS_readlink), ALLOW(SYS_readlinkat), ALLOW(SYS_clone),
            ALLOW(SYS_wait4),
            ALLOW(SYS_openat), ALLOW(SYS_close), ALLOW(SYS_lseek), ALLOW(SYS_madvise), ALLOW(SYS_rt_sigprocmask),);
        execv("/proc/self/exe", arguments);
        _exit(9);
    }
    for (size_t i = 1; i <= 60000; i++) {
        void *volatile block = malloc(i % 3000);
        if (!block)
            _exit(2);
        free(block);
    }
    MUST(open((const char *)0x12345678, O_RDONLY) == -1 && errno == EFAULT);
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        free(malloc(100));
        _exit(5);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child);
    MUST(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    static const char said[] = "begun in a sandbox\ncall.open=1\ncall.fork=1\ncall.waitpid=1\n";
    return write(1, said, sizeof said - 1) != sizeof said - 1;
}
