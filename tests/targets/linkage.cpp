// Exceptions through traced calls: thrown in a callback of the C library, caught by its caller.
#include <cstdlib>
#include <stdexcept>
#include <string>

extern "C" {
#include "say.h"
}

static long destroyed;

struct Guard {
    ~Guard() { destroyed++; }
};

static int compare(const void *, const void *)
{
    Guard guard;
    throw std::runtime_error("out of a comparison");
}

int main(int argc, char **argv)
{
    long times = argc > 1 ? std::atol(argv[1]) : 0;
    long caught = 0, bytes = 0;
    for (long i = 0; i < times; i++) {
        int numbers[] = {3, 1, 2};
        try {
            Guard guard;
            std::qsort(numbers, 3, sizeof numbers[0], compare);
        } catch (const std::exception &thrown) {
            caught++;
            bytes += static_cast<long>(std::string(thrown.what()).size());
        }
    }
    say("caught", caught);
    say("destroyed", destroyed);
    say("bytes", bytes);
    say("calls.qsort", times);
    say("calls.__cxa_throw", times);
    return 7;
}
