// A strict sandbox in which open is refused and an exec fails: their paths, also one that is none, are the kernel's to read.
#define _GNU_SOURCE
#include <fcntl.h>
#include "sandbox.h"

int main(void)
{
    char *const arguments[] = {"none", NULL};
    ENTER_SANDBOX(REFUSE(SYS_open), REFUSE(SYS_openat), ALLOW(SYS_execve), ALLOW(SYS_close),);
    for (int i = 0; i < 10; i++) {
        MUST(open("/dev/null", O_RDONLY) == -1 && errno == EPERM);
        // Mapped nowhere: the first page, and one that no program has.
        MUST(open((const char *)8, O_RDONLY) == -1 && errno == EPERM);
        MUST(open((const char *)0x12345678, O_RDONLY) == -1 && errno == EPERM);
        MUST(execve("/nonexistent", arguments, arguments + 1) == -1 && errno == ENOENT);
        MUST(execve((const char *)0x12345678, arguments, arguments + 1) == -1 && errno == EFAULT);
        MUST(close(-1) == -1 && errno == EBADF);
    }
    static const char said[] = "refused in a sandbox\ncall.open=30\ncall.execve=20\ncall.close=10\n";
    return write(1, said, sizeof said - 1) != sizeof said - 1;
}
