// Tapped calls on the smallest stacks: 4 KiB by hand with a guard page below, a third of them in use.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

long on_stack(void *top, long (*function)(long), long argument);
__asm__(".text\n.type on_stack, @function\non_stack:\n"
        ".cfi_startproc\nendbr64\npush %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset rbp, -16\n"
        "mov %rsp, %rbp\n.cfi_def_cfa_register rbp\n"
        "mov %rdi, %rsp\nmov %rdx, %rdi\ncall *%rsi\n"
        "leave\n.cfi_def_cfa rsp, 8\nret\n.cfi_endproc\n.size on_stack, . - on_stack\n");

static long work(long number)
{
    volatile char own[1400];
    own[0] = own[sizeof own - 1] = 1;
    void *block = sunk(malloc((size_t)number + 1));
    int ends[2], fd = open("/dev/null", O_RDONLY);
    long sound = block && fd == 3 && close(fd) == 0 && pipe(ends) == 0 && close(ends[0]) == 0 && close(ends[1]) == 0;
    block = sunk(realloc(block, 200));
    free(block);
    return sound && own[0];
}

int main(void)
{
    enum { PAGE = 4096 };
    char *area = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(area != MAP_FAILED && mprotect(area, PAGE, PROT_NONE) == 0);
    // The loader binds lazily with more stack than that, and glibc sets up its heap.
    EXPECT(work(1));
    for (long i = 0; i < 100; i++)
        EXPECT(on_stack(area + 2 * PAGE, work, i));
    printf("call.malloc=101\ncall.realloc=101\ncall.free=101\ncall.open=101\ncall.close=303\ncall.pipe=101\n");
    return 0;
}
