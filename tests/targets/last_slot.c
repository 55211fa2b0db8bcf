// Calls as often as asked what it refers to last: linkers put that function's stub behind all others, lld at the very end
// of the code.
//
//   last_slot N
#include <stdlib.h>

#include "say.h"

int main(int argc, char **argv)
{
    long times = argc > 1 ? atol(argv[1]) : 0;
    say("calls.labs", times);
    long sum = 0;
    for (long i = 0; i < times; i++)
        sum += labs(-i) == i;
    return sum == times ? 7 : 1;
}
