// Frames of C between two of C++, as many as are asked for, with a block of the stack's in each.
#include <string.h>

int calls_back(int (*function)(int), int number, int depth)
{
    volatile char frame[64];
    memset((char *)frame, depth, sizeof frame);
    int result = depth ? calls_back(function, number, depth - 1) : function(number);
    return frame[63] == (char)depth ? result : -1000;
}
