// Stacks switched by hand: calls on a block of the heap, on static memory, in turns, and left without a return.
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

// Calls function(argument) on another stack.
long on_stack(void *top, long (*function)(long), long argument);
// Goes to where another stack was left, and leaves this one where it is.
void hop(void **from, void *to);
__asm__(".text\n.type on_stack, @function\non_stack:\n"
        ".cfi_startproc\nendbr64\npush %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset rbp, -16\n"
        "mov %rsp, %rbp\n.cfi_def_cfa_register rbp\n"
        "mov %rdi, %rsp\nmov %rdx, %rdi\ncall *%rsi\n"
        "leave\n.cfi_def_cfa rsp, 8\nret\n.cfi_endproc\n.size on_stack, . - on_stack\n"
        ".type hop, @function\nhop:\n"
        "endbr64\npush %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp, (%rdi)\nmov %rsi, %rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n.size hop, . - hop\n");

static char area[4][32768] __attribute__((aligned(64)));
static void *places[3], *home;
static int current;
static long turns;

static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

static long work(long number)
{
    char text[64], *copy;
    int values[] = {3, (int)number, 2}, fd = open("/dev/null", O_RDONLY);
    snprintf(text, sizeof text, "%ld %.2f", number, 0.25);
    copy = strdup(text);
    qsort(values, 3, sizeof *values, compare);
    EXPECT(fd == 3 && close(fd) == 0 && strlen(copy) >= 6);
    free(copy);
    return number ? on_stack(area[number % 2 + 1] + sizeof area[0], work, number - 1) + 1 : 0;
}

static void forever(void)
{
    for (;;) {
        void *block = sunk(malloc(50));
        int place = current;
        hop(&places[place], home);
        free(block);
        turns++;
    }
}

int main(void)
{
    char *block = malloc(65536);
    for (int i = 0; i < 50; i++)
        EXPECT(on_stack(block + 65536 - (unsigned long)(block + 65536) % 16, work, 0) == 0);
    EXPECT(on_stack(area[3] + sizeof area[3], work, 1) == 1);
    free(block);
    for (int i = 0; i < 3; i++) {
        // Six registers, and the function to return to; its own return address is never used.
        void **top = (void **)(area[i] + sizeof area[i]);
        top[-2] = (void *)forever;
        memset(top - 8, 0, 6 * sizeof *top);
        places[i] = top - 8;
    }
    for (int i = 0; i < 3000; i++) {
        current = i % 3;
        hop(&home, places[current]);
    }
    // The three that are left are never returned to.
    printf("turns %ld\ncall.malloc=3001\ncall.free=%ld\ncall.open=52\ncall.strdup=52\n", turns, turns + 53);
    return 0;
}
