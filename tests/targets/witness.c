// A second opinion on call stacks. Preloaded into a program, it lets libgcc's _Unwind_Backtrace walk the
// stack at each call that acquires memory, and counts each distinct stack in a file that is mapped into
// the process, WITNESS_DIR/PID: 64-bit words, so that nothing has to be written at the end.
//
//   words 0-3       pid, words used of the whole file, stacks that could not be taken, signal-interrupted calls
//   words 4-7       where this library lies, where calltap's does: start, end, start, end
//   words 8...      COUNT LENGTH ADDRESS..., innermost first, without frames in those two
//
// Its stacks are those that calltap has to record: the same functions are interposed, in the same order.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>
#include <wchar.h>

typedef uint64_t word;

enum { PID, USED, LOST, NESTED, OWN, CALLTAP = OWN + 2, FIRST = CALLTAP + 2 };
enum { MOST_FRAMES = 600, SLOTS = 1 << 21 };
static const size_t FILE_BYTES = (size_t)1 << 30;

// What belongs to one process. The page is empty again in a forked child.
struct state {
    word *file;
    word *slots; // index of a stack's first word in the file, 0 = free
    word stacks;
    int lock;
};
static struct state *state;
static word ranges[FIRST - OWN];
static __thread int busy __attribute__((tls_model("initial-exec")));

// calltap taps mmap, so the kernel is asked directly.
static void *pages(size_t bytes, int flags, int fd)
{
    void *at = (void *)syscall(SYS_mmap, NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0L);
    if (at == MAP_FAILED)
        _exit(97);
    return at;
}

static int find_ranges(struct dl_phdr_info *object, size_t size, void *unused)
{
    (void)size, (void)unused;
    word start = ~(word)0, end = 0;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD)
            continue;
        word from = object->dlpi_addr + segment->p_vaddr;
        start = from < start ? from : start;
        end = from + segment->p_memsz > end ? from + segment->p_memsz : end;
    }
    int mine = start <= (word)&state && (word)&state < end;
    if (mine || strstr(object->dlpi_name, "/libcalltap-")) {
        ranges[mine ? 0 : 2] = start;
        ranges[mine ? 1 : 3] = end;
    }
    return 0;
}

static void begin(void)
{
    if (!state) {
        struct state *fresh = pages(4096, MAP_PRIVATE | MAP_ANONYMOUS, -1);
        if (syscall(SYS_madvise, fresh, 4096UL, MADV_WIPEONFORK))
            _exit(97);
        dl_iterate_phdr(find_ranges, NULL);
        state = fresh;
    }
    char path[PATH_MAX];
    const char *directory = getenv("WITNESS_DIR");
    snprintf(path, sizeof path, "%s/%d", directory ? directory : "", getpid());
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)FILE_BYTES))
        _exit(97);
    state->slots = pages(SLOTS * sizeof(word), MAP_PRIVATE | MAP_ANONYMOUS, -1);
    state->file = pages(FILE_BYTES, MAP_SHARED, fd);
    syscall(SYS_close, fd);
    state->file[PID] = (word)getpid();
    state->file[USED] = FIRST;
    memcpy(&state->file[OWN], ranges, sizeof ranges);
}

struct stack {
    word length;
    word frames[MOST_FRAMES];
};

static _Unwind_Reason_Code visit(struct _Unwind_Context *context, void *argument)
{
    struct stack *stack = argument;
    word address = _Unwind_GetIP(context);
    int ours = (ranges[0] <= address && address < ranges[1]) || (ranges[2] <= address && address < ranges[3]);
    if (address && !ours)
        stack->frames[stack->length++] = address;
    return stack->length == MOST_FRAMES ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static word hash(const struct stack *stack)
{
    word sum = stack->length;
    for (word i = 0; i < stack->length; i++)
        sum = ((sum << 5 | sum >> 59) ^ stack->frames[i]) * 0x9e3779b97f4a7c15;
    return sum >> 32;
}

static void count(const struct stack *stack)
{
    word *file = state->file;
    for (word probe = hash(stack);; probe++) {
        word *slot = &state->slots[probe % SLOTS];
        if (*slot == 0) {
            word end = file[USED] + 2 + stack->length;
            if (end * sizeof(word) > FILE_BYTES || state->stacks > SLOTS / 2) {
                file[LOST]++;
                return;
            }
            state->stacks++;
            *slot = file[USED];
            file[*slot + 1] = stack->length;
            memcpy(&file[*slot + 2], stack->frames, stack->length * sizeof(word));
            file[USED] = end;
        } else if (file[*slot + 1] != stack->length ||
                   memcmp(&file[*slot + 2], stack->frames, stack->length * sizeof(word))) {
            continue;
        }
        file[*slot]++;
        return;
    }
}

// Called by each function below. A signal handler's call in the middle of this is not counted.
static __attribute__((noinline)) void witness(void)
{
    if (busy) {
        if (state && state->file)
            __atomic_fetch_add(&state->file[NESTED], 1, __ATOMIC_RELAXED);
        return;
    }
    busy = 1;
    int saved = errno;
    if (!state || !state->file)
        begin();
    struct stack stack;
    stack.length = 0;
    _Unwind_Backtrace(visit, &stack);
    while (__atomic_exchange_n(&state->lock, 1, __ATOMIC_ACQUIRE))
        __builtin_ia32_pause();
    count(&stack);
    __atomic_store_n(&state->lock, 0, __ATOMIC_RELEASE);
    errno = saved;
    busy = 0;
}

#define WITNESS(returns, name, parameters, arguments)     \
    returns name parameters;                              \
    returns name parameters                               \
    {                                                     \
        static returns (*real) parameters;                \
        if (!real)                                        \
            *(void **)&real = dlsym(RTLD_NEXT, #name);    \
        witness();                                        \
        return real arguments;                            \
    }

WITNESS(void *, malloc, (size_t size), (size))
WITNESS(void *, calloc, (size_t count, size_t size), (count, size))
WITNESS(void *, realloc, (void *block, size_t size), (block, size))
WITNESS(void *, reallocarray, (void *block, size_t count, size_t size), (block, count, size))
WITNESS(int, posix_memalign, (void **block, size_t alignment, size_t size), (block, alignment, size))
WITNESS(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
WITNESS(void *, memalign, (size_t alignment, size_t size), (alignment, size))
WITNESS(void *, valloc, (size_t size), (size))
WITNESS(void *, pvalloc, (size_t size), (size))
WITNESS(char *, strdup, (const char *from), (from))
WITNESS(char *, __strdup, (const char *from), (from))
WITNESS(char *, strndup, (const char *from, size_t most), (from, most))
WITNESS(char *, __strndup, (const char *from, size_t most), (from, most))
WITNESS(wchar_t *, wcsdup, (const wchar_t *from), (from))
WITNESS(char *, realpath, (const char *path, char *buffer), (path, buffer))
WITNESS(char *, canonicalize_file_name, (const char *path), (path))
WITNESS(char *, get_current_dir_name, (void), ())
WITNESS(void *, _Znwm, (size_t size), (size))
WITNESS(void *, _ZnwmRKSt9nothrow_t, (size_t size, void *nothrow), (size, nothrow))
WITNESS(void *, _ZnwmSt11align_val_t, (size_t size, size_t alignment), (size, alignment))
WITNESS(void *, _ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, void *nothrow), (size, alignment, nothrow))
WITNESS(void *, _Znam, (size_t size), (size))
WITNESS(void *, _ZnamRKSt9nothrow_t, (size_t size, void *nothrow), (size, nothrow))
WITNESS(void *, _ZnamSt11align_val_t, (size_t size, size_t alignment), (size, alignment))
WITNESS(void *, _ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, void *nothrow), (size, alignment, nothrow))
WITNESS(void *, mmap, (void *at, size_t length, int protection, int flags, int fd, off_t offset), (at, length, protection, flags, fd, offset))
WITNESS(void *, mmap64, (void *at, size_t length, int protection, int flags, int fd, off_t offset), (at, length, protection, flags, fd, offset))

// For explanations: which object is where.
static __attribute__((destructor)) void copy_maps(void)
{
    char path[PATH_MAX], buffer[65536];
    const char *directory = getenv("WITNESS_DIR");
    snprintf(path, sizeof path, "%s/%d.maps", directory ? directory : "", getpid());
    int from = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
    int to = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (long length; from >= 0 && to >= 0 && (length = syscall(SYS_read, from, buffer, sizeof buffer)) > 0;)
        syscall(SYS_write, to, buffer, length);
    syscall(SYS_close, from);
    syscall(SYS_close, to);
}
