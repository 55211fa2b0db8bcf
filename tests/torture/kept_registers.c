// Registers that a call must keep are kept: rbx, rbp and r12 to r15, the stack's alignment and the direction flag.
//
// torture: builds product
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "check.h"

// Calls a function of two words with patterns in all registers that it must keep; how many it has not kept.
long disturbed(long (*function)(long, long), long one, long other);
__asm__(".text\n.type disturbed, @function\ndisturbed:\n"
        ".cfi_startproc\n"
        "endbr64\n"
        "push %rbx\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset rbx, 0\n"
        "push %rbp\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset rbp, 0\n"
        "push %r12\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset r12, 0\n"
        "push %r13\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset r13, 0\n"
        "push %r14\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset r14, 0\n"
        "push %r15\n.cfi_adjust_cfa_offset 8\n.cfi_rel_offset r15, 0\n"
        "sub $8, %rsp\n.cfi_adjust_cfa_offset 8\n"
        "mov %rdi, %rax\nmov %rsi, %rdi\nmov %rdx, %rsi\n"
        "mov $0x1111, %rbx\nmov $0x2222, %rbp\nmov $0x3333, %r12\nmov $0x4444, %r13\nmov $0x5555, %r14\n"
        "mov %rsp, %r15\n"
        "call *%rax\n"
        "xor %eax, %eax\n"
        "cmp $0x1111, %rbx\nje 1f\ninc %rax\n1: cmp $0x2222, %rbp\nje 2f\ninc %rax\n"
        "2: cmp $0x3333, %r12\nje 3f\ninc %rax\n3: cmp $0x4444, %r13\nje 4f\ninc %rax\n"
        "4: cmp $0x5555, %r14\nje 5f\ninc %rax\n5: cmp %rsp, %r15\nje 6f\ninc %rax\n"
        "6: pushf\npop %rcx\ntest $0x400, %rcx\nje 7f\ninc %rax\n"
        "7: add $8, %rsp\n.cfi_adjust_cfa_offset -8\n"
        "pop %r15\n.cfi_adjust_cfa_offset -8\npop %r14\n.cfi_adjust_cfa_offset -8\npop %r13\n.cfi_adjust_cfa_offset -8\n"
        "pop %r12\n.cfi_adjust_cfa_offset -8\npop %rbp\n.cfi_adjust_cfa_offset -8\npop %rbx\n.cfi_adjust_cfa_offset -8\n"
        "ret\n.cfi_endproc\n.size disturbed, . - disturbed\n");

static long opens(long path, long flags) { return open((const char *)path, (int)flags); }
static long closes(long fd, long unused) { return (void)unused, close((int)fd); }
static long allocates(long size, long count) { return free(sunk(calloc((size_t)size, (size_t)count))), 0; }
static long formats(long out, long number) { return sprintf((char *)out, "%ld %f", number, 2.5); }

int main(void)
{
    char text[64];
    for (int i = 0; i < 20; i++) {
        EXPECT(disturbed(opens, (long)"/dev/null", O_RDONLY) == 0);
        EXPECT(disturbed(closes, 3, 0) == 0);
        EXPECT(disturbed(closes, -1, 0) == 0 && errno == EBADF);
        EXPECT(disturbed(allocates, 100, 20) == 0);
        EXPECT(disturbed(formats, (long)text, i) == 0);
    }
    puts(text);
    printf("call.open=20\ncall.close=40\ncall.calloc=20\ncall.free=20\ncall.sprintf=20\n");
    return 0;
}
