// A C++ program with its own malloc family. The operators are the run-time library's: each jumps on to malloc or free, so
// these seem to be called by the program.
//
//   own_malloc ROUNDS
#include <cstdlib>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "own_malloc.h"

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? atol(argv[1]) : 0;
    long allocations = 0;
    for (long i = 0; i < rounds; i++) {
        int *volatile one = new int(7);
        char *volatile many = new char[300];
        delete one;
        delete[] many;
        void *volatile none = operator new(50, std::nothrow);
        operator delete(none);
        auto shared = std::make_shared<std::vector<std::string>>();
        shared->reserve(2);
        shared->push_back(std::string(200, 'x'));
        allocations += 6;
    }
    say("heap.allocations", allocations);
    say("heap.frees", allocations);
    say_served();
    return 0;
}
