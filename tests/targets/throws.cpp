// Throws through C frames and out of operator new, COUNT times: throws COUNT.
#include <cstdint>
#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>
#include "say.h"

namespace {

int destroyed;

struct Witness {
    std::string text = "long enough to live on the heap, whatever the library";
    ~Witness() { destroyed++; }
};

int compare(const void *, const void *)
{
    Witness witness;
    throw std::runtime_error("out of a callback of the C library");
}

int caught_through_qsort()
{
    int numbers[] = {3, 1, 2};
    Witness outer;
    try {
        Witness inner;
        std::qsort(numbers, 3, sizeof(int), compare);
    } catch (const std::runtime_error &) {
        return 1;
    }
    return 0;
}

int caught_out_of_new()
{
    volatile std::size_t too_much = PTRDIFF_MAX;
    Witness outer;
    try {
        Witness inner;
        ::operator delete(::operator new(too_much));
    } catch (const std::bad_alloc &) {
        return 1;
    }
    return 0;
}

} // namespace

int main(int argc, char **argv)
{
    const int count = argc > 1 ? std::atoi(argv[1]) : 0;
    int caught = 0;
    for (int i = 0; i < count; i++) {
        caught += caught_through_qsort() + caught_out_of_new();
        delete new int(i);
    }
    say("caught", caught);
    say("destroyed", destroyed);
    say("heap.failed_allocations", count);
    // Blocks per round: 5 witnesses' texts, 2 exceptions, 1 message of runtime_error, 1 int.
    say("heap.allocations", 9LL * count);
    say("heap.frees", 9LL * count);
    return 0;
}
