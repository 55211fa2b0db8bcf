// Structs as results: in integer registers, in vector registers, in one of each, on the x87 stack, by memory.
//
// torture: linked struct_library.c
// torture: builds product
#include <string.h>

#include "check.h"
#include "structs.h"

int main(void)
{
    for (volatile int n = 0; n < 20; n++) {
        struct two_words words = make_words(n, -n);
        EXPECT(words.a == n && words.b == -n);
        struct two_floats floats = make_floats((float)n, 0.25f);
        EXPECT(floats.x == n && floats.y == 0.25f);
        struct two_doubles doubles = make_doubles(n, 1e-9);
        EXPECT(doubles.x == n && doubles.y == 1e-9);
        struct mixed mixed = make_mixed(n, n / 8.0);
        EXPECT(mixed.a == n && mixed.x == n / 8.0);
        struct mirrored mirrored = make_mirrored(n / 8.0, n);
        EXPECT(mirrored.a == n && mirrored.x == n / 8.0);
        struct extended extended = make_extended(n / 3.0L);
        EXPECT(extended.x == n / 3.0L);
        struct small small = make_small((char)n, 7);
        EXPECT(small.a == n && small.b == 7);
        struct large large = make_large(n, "text");
        EXPECT(large.words[0] == n && large.words[31] == n + 31 && strcmp(large.text, "text") == 0);
    }
    printf("call.make_words=20\ncall.make_mixed=20\ncall.make_large=20\ncall.make_extended=20\n");
    return 0;
}
