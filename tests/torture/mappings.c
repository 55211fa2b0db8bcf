// Maps, moves, grows, splits, discards and protects memory; what it holds is what it must be.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "must.h"

enum { PAGE = 4096 };

int main(void)
{
    // A place where nothing else can come: all fixed mappings are made inside.
    char *room = mmap(NULL, 64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    MUST(room != MAP_FAILED);
    char *low = mmap(room, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    MUST(low == room);
    memset(low, 'a', 4 * PAGE);
    MUST(mmap(room, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED);
    MUST(errno == EEXIST);
    // Moved to a fixed place, then grown there.
    char *high = mremap(low, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room + 32 * PAGE);
    MUST(high == room + 32 * PAGE && high[4 * PAGE - 1] == 'a');
    MUST(mremap(high, 4 * PAGE, 8 * PAGE, 0) == MAP_FAILED && errno == ENOMEM);
    char *grown = mremap(high, 4 * PAGE, 500 * PAGE, MREMAP_MAYMOVE);
    MUST(grown != MAP_FAILED && grown[4 * PAGE - 1] == 'a' && grown[499 * PAGE] == 0);
    MUST(mremap(grown, 500 * PAGE, 4 * PAGE, 0) == grown);
    // Split by protection, made whole again, thrown away.
    MUST(!mprotect(grown + PAGE, PAGE, PROT_READ) && !mprotect(grown + PAGE, PAGE, PROT_READ | PROT_WRITE));
    grown[PAGE] = 'b';
    MUST(!madvise(grown, 2 * PAGE, MADV_DONTNEED) && grown[0] == 0 && grown[PAGE] == 0 && grown[2 * PAGE] == 'a');
    MUST(!madvise(grown, 4 * PAGE, MADV_DONTFORK));
    int status;
    pid_t child = fork();
    if (child == 0) {
        MUST(munmap(room + 100, PAGE) == -1 && errno == EINVAL);
        _exit(madvise(grown, PAGE, MADV_NORMAL) == -1 && errno == ENOMEM ? 4 : 5);
    }
    MUST(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 4);
    MUST(!munmap(grown, 4 * PAGE) && !munmap(room, 64 * PAGE));

    // A file, shared and private.
    int file = open("mapped", O_CREAT | O_RDWR | O_TRUNC, 0600);
    MUST(file == 3 && !unlink("mapped") && !ftruncate(file, 2 * PAGE));
    char *shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    char *private = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    MUST(shared != MAP_FAILED && private != MAP_FAILED);
    strcpy(shared, "written through the mapping");
    MUST(!strcmp(private, shared) && !msync(shared, PAGE, MS_SYNC));
    strcpy(private, "mine");
    MUST(shared[0] == 'w');
    char text[8];
    MUST(pread(file, text, 7, 0) == 7 && !memcmp(text, "written", 7));
    MUST(!munmap(shared, 2 * PAGE) && !munmap(private, 2 * PAGE) && !close(file));

    int memory = memfd_create("sealed", MFD_ALLOW_SEALING);
    MUST(memory == 3 && !ftruncate(memory, PAGE) && !fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_WRITE));
    MUST(write(memory, "x", 1) == -1 && errno == EPERM && !close(memory));
    // The heap's end, moved by hand.
    char *end = sbrk(0);
    MUST(sbrk(3 * PAGE) == end && (char *)sbrk(0) == end + 3 * PAGE && brk(end) == 0 && sbrk(0) == end);
    printf("all right\ncall.mmap=5\ncall.mremap=4\ncall.mprotect=2\ncall.sbrk=4\ncall.brk=1\ncall.memfd_create=1\n");
    return 0;
}
