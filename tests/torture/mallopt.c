// Tunes the allocator with mallopt and reads what it says of itself: mallinfo2, malloc_info, malloc_trim.
#define _GNU_SOURCE
#include <malloc.h>
#include <stdlib.h>
#include "must.h"

int main(void)
{
    MUST(mallopt(M_MMAP_THRESHOLD, 1 << 16) == 1);
    MUST(mallopt(M_TRIM_THRESHOLD, 1 << 17) == 1);
    MUST(mallopt(M_ARENA_MAX, 2) == 1);
    MUST(mallopt(M_PERTURB, 0x11) == 1);
    struct mallinfo2 before = mallinfo2();
    void *volatile blocks[100];
    for (int i = 0; i < 100; i++) {
        blocks[i] = malloc(5000);
        // Perturbed: each byte is the complement of what was set.
        for (int k = 0; k < 5000; k++)
            MUST(((unsigned char *)blocks[i])[k] == (unsigned char)~0x11);
    }
    struct mallinfo2 with = mallinfo2();
    printf("in use by 100 blocks %zu\n", with.uordblks - before.uordblks);
    void *volatile mapped = malloc(1 << 17);
    struct mallinfo2 large = mallinfo2();
    printf("mapped %zu in %zu\n", large.hblkhd - with.hblkhd, large.hblks - with.hblks);
    free(mapped);
    for (int i = 0; i < 100; i++)
        free(blocks[i]);
    struct mallinfo2 after = mallinfo2();
    printf("in use afterwards %zu\n", after.uordblks - before.uordblks);
    MUST(malloc_trim(0) >= 0);
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    MUST(stream && !malloc_info(0, stream) && !fclose(stream));
    int arenas = 0;
    for (char *at = text; (at = strstr(at, "<heap nr=")); at++)
        arenas++;
    MUST(!strncmp(text, "<malloc version=\"1\">", 20) && strstr(text, "</malloc>"));
    printf("arenas %d\n", arenas);
    free(text);
    printf("call.malloc=101\n");
    return 0;
}
