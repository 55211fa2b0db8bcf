// Makes the structs.
#include "structs.h"

#include <string.h>

struct two_words make_words(long a, long b) { return (struct two_words){a, b}; }
struct two_floats make_floats(float x, float y) { return (struct two_floats){x, y}; }
struct two_doubles make_doubles(double x, double y) { return (struct two_doubles){x, y}; }
struct mixed make_mixed(long a, double x) { return (struct mixed){a, x}; }
struct mirrored make_mirrored(double x, int a) { return (struct mirrored){x, a}; }
struct extended make_extended(long double x) { return (struct extended){x}; }
struct small make_small(char a, short b) { return (struct small){a, b}; }

struct large make_large(long first, const char *text)
{
    struct large made;
    memset(&made, 0, sizeof made);
    for (int at = 0; at < 32; at++)
        made.words[at] = first + at;
    strcpy(made.text, text);
    return made;
}
