// Loads each library named by an argument and calls its function `enter` with `site`, which prints
// where it will return to and which object that is in: address, start, end, bias, path. Then waits for
// the end of its input.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <inttypes.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>

static int object(struct dl_phdr_info *info, size_t size, void *data) {
    uintptr_t address = *(uintptr_t *)data, start = UINTPTR_MAX, end = 0;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD)
            continue;
        uintptr_t first = info->dlpi_addr + segment->p_vaddr;
        if (first < start)
            start = first & ~(uintptr_t)0xfff;
        if (first + segment->p_memsz > end)
            end = (first + segment->p_memsz + 0xfff) & ~(uintptr_t)0xfff;
    }
    if (address < start || address >= end)
        return 0;
    printf("%" PRIxPTR " %" PRIxPTR " %" PRIxPTR " %" PRIxPTR " %s\n", address, start, end,
           (uintptr_t)info->dlpi_addr, info->dlpi_name);
    return 1;
}

__attribute__((noinline)) static void site(void) {
    uintptr_t address = (uintptr_t)__builtin_return_address(0);
    dl_iterate_phdr(object, &address);
}

int main(int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        void *library = dlopen(arguments[i], RTLD_NOW | RTLD_LOCAL);
        void (*enter)(void (*)(void)) = library ? (void (*)(void (*)(void)))dlsym(library, "enter") : NULL;
        if (!enter)
            return fprintf(stderr, "%s\n", dlerror()), 1;
        enter(site);
    }
    site(); // HOST
    printf("\n");
    fflush(stdout);
    while (getchar() != EOF) {
    }
    return 0;
}
