/* System calls in a tight loop: syscalls raw|wrapped|getppid COUNT
 *
 *   raw      COUNT pairs of openat and close by syscall(2): no hook sees them, so each is stopped (2 events a pair)
 *   wrapped  COUNT pairs of open and close, which hooks record (2 events a pair)
 *   getppid  COUNT calls that are in no family of descriptors or memory (1 event)
 */
#include "wl.h"
#include <sys/syscall.h>

static void raw(long count) {
    for (long i = 0; i < count; i++) {
        long fd = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC, 0, 0);
        if (fd < 0 || syscall(SYS_close, fd, 0, 0, 0, 0)) _exit(3);
    }
}

static void wrapped(long count) {
    for (long i = 0; i < count; i++) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (fd < 0 || close(fd)) _exit(3);
    }
}

static void parents(long count) {
    for (long i = 0; i < count; i++)
        if (getppid() < 0) _exit(3);
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    long count = wl_arg(argc, argv, 2, 100000);
    long events = strcmp(mode, "getppid") ? 2 * count : count;
    void (*run)(long) = !strcmp(mode, "raw") ? raw : !strcmp(mode, "wrapped") ? wrapped : parents;
    uint64_t start = wl_now();
    run(count);
    wl_report(mode, wl_now() - start, (uint64_t)events, "");
    return 0;
}
