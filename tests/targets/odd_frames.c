// Allocates from code that makes a walk of the stack hard: odd_frames.
//
//   described    rbp holds anything at the call; the unwind tables say where the caller's is
//   undescribed  the same, without unwind tables for the function
//   framed       code in pages that are mapped from no file, with a frame pointer
//   frameless    such code without
//   shrunken     rbp points to where a coroutine's stack was when it was larger
//
// Each leaks one block for each of its calls; lines through which the calls go are marked VIA.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include "say.h"

typedef void *allocate(size_t bytes);
typedef void *through(allocate *function, size_t bytes, uintptr_t rbp);

// Calls function(bytes) with this value in rbp.
#define THROUGH(name, CFI)                                                  \
    through name;                                                           \
    __asm__(".text\n.globl " #name "\n.type " #name ", @function\n" #name ":\n" \
            CFI(".cfi_startproc\n")                                         \
            "push %rbp\n"                                                   \
            CFI(".cfi_adjust_cfa_offset 8\n.cfi_rel_offset %rbp, 0\n")      \
            "mov %rdx, %rbp\n"                                              \
            "mov %rdi, %rax\n"                                              \
            "mov %rsi, %rdi\n"                                              \
            "call *%rax\n"                                                  \
            "pop %rbp\n"                                                    \
            CFI(".cfi_adjust_cfa_offset -8\n.cfi_restore %rbp\n")           \
            "ret\n"                                                         \
            CFI(".cfi_endproc\n")                                           \
            ".size " #name ", .-" #name "\n");
#define WITH(text) text
#define WITHOUT(text)
THROUGH(described, WITH)
THROUGH(undescribed, WITHOUT)

static void *volatile kept;

static __attribute__((noinline)) int odd_values(through *function, size_t bytes)
{
    char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || munmap(pages + 4096, 4096))
        fail("mmap");
    uintptr_t here[4], first = (uintptr_t)pages, gone = first + 4096, other = first + 2 * 4096;
    here[0] = here[1] = (uintptr_t)here; // its own frame, for ever
    here[2] = (uintptr_t)here;
    *(uintptr_t *)(gone - 16) = other; // two frames, of each other, in pages of the heap
    *(uintptr_t *)(gone - 8) = (uintptr_t)odd_values;
    *(uintptr_t *)other = gone - 16;
    *(uintptr_t *)(other + 8) = (uintptr_t)odd_values;
    uintptr_t values[] = {
        0, 1, 7, 8, 4096, ~(uintptr_t)0, ~(uintptr_t)7, ~(uintptr_t)15, (uintptr_t)1 << 63, (uintptr_t)1 << 47,
        ((uintptr_t)1 << 47) - 8, 0xffffffff80000000, 0xffffffffff600000, (uintptr_t)here, (uintptr_t)here + 1,
        (uintptr_t)&here[2], (uintptr_t)here - 4096, (uintptr_t)here + 64, (uintptr_t)odd_values,
        (uintptr_t)"text", gone, gone - 1, gone - 8, gone - 16, gone + 4088, other, other + 4088, other + 4096,
    };
    int count = sizeof values / sizeof *values;
    for (int i = 0; i < count; i++)
        kept = function(malloc, bytes, values[i]); // VIA described VIA undescribed
    munmap(pages, 4096);
    munmap(pages + 2 * 4096, 4096);
    return count;
}

static __attribute__((noinline)) void mapped_code(const char *place, const char *code, size_t length, size_t bytes)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page, code, length);
    if (mprotect(page, 4096, PROT_READ | PROT_EXEC))
        fail("mprotect");
    through *function = (through *)page;
    for (int i = 0; i < 10; i++)
        kept = function(malloc, bytes, 0); // VIA framed
    munmap(page, 4096);
    said(place, 10, 10 * bytes);
}

enum { LARGE = 1 << 18, SMALL = 1 << 16 };

static char *coroutine_stack;
static uintptr_t coroutine_rbp;
static ucontext_t main_context, coroutine_context;

static __attribute__((noinline)) void fill_stack(int levels)
{
    volatile char frame[1000];
    frame[0] = 1;
    if (levels)
        fill_stack(levels - 1);
    else
        free(malloc(7));
    frame[1] = frame[0];
}

static void on_large_stack(void)
{
    fill_stack(LARGE / 1100);
}

static void on_small_stack(void)
{
    kept = undescribed(malloc, 113, coroutine_rbp);
}

static void run_on_stack(void (*coroutine)(void), size_t bytes)
{
    getcontext(&coroutine_context);
    coroutine_context.uc_stack.ss_sp = coroutine_stack;
    coroutine_context.uc_stack.ss_size = bytes;
    coroutine_context.uc_link = &main_context;
    makecontext(&coroutine_context, coroutine, 0);
    swapcontext(&main_context, &coroutine_context);
}

// No tapped call on the main stack comes between those on the other.
static __attribute__((noinline)) void shrunken(void)
{
    coroutine_stack = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    run_on_stack(on_large_stack, LARGE);
    // What looks like a frame, and is one no more when the same call is made again.
    uintptr_t *frame = (uintptr_t *)(coroutine_stack + LARGE / 2);
    frame[0] = 0;
    frame[1] = (uintptr_t)shrunken;
    coroutine_rbp = (uintptr_t)frame;
    run_on_stack(on_small_stack, SMALL);
    if (syscall(SYS_mprotect, coroutine_stack + SMALL, LARGE - SMALL, PROT_NONE))
        fail("mprotect");
    run_on_stack(on_small_stack, SMALL);
    coroutine_rbp += 4096;
    run_on_stack(on_small_stack, SMALL);
    munmap(coroutine_stack, LARGE);
    said("shrunken", 3, 3 * 113);
}

int main(void)
{
    // push rbp; mov rbp, rsp; mov rax, rdi; mov rdi, rsi; call rax; pop rbp; ret
    static const char framed[] = "\x55\x48\x89\xe5\x48\x89\xf8\x48\x89\xf7\xff\xd0\x5d\xc3";
    // sub rsp, 8; mov rax, rdi; mov rdi, rsi; call rax; add rsp, 8; ret
    static const char frameless[] = "\x48\x83\xec\x08\x48\x89\xf8\x48\x89\xf7\xff\xd0\x48\x83\xc4\x08\xc3";
    int count = odd_values(described, 101); // VIA described
    said("described", count, count * 101);
    count = odd_values(undescribed, 103);
    said("undescribed", count, count * 103);
    mapped_code("framed", framed, sizeof framed, 107); // VIA framed
    mapped_code("frameless", frameless, sizeof frameless, 109);
    shrunken();
    return 0;
}
