// Releases blocks through the wrong family, `wrong` times, and through the right one, twice each.
#include <cstdlib>
#include <new>
#include "say.h"

namespace {
void *volatile passed; // the compiler may neither warn nor drop

void *pass(void *block)
{
    passed = block;
    return passed;
}
} // namespace

int main()
{
    ::operator delete(pass(::operator new[](40)));
    ::operator delete(pass(std::malloc(41)));
    std::free(pass(::operator new(42)));
    std::free(pass(::operator new[](43)));
    ::operator delete[](pass(::operator new(44)));
    for (int i = 0; i < 2; i++) {
        ::operator delete(pass(::operator new(45)));
        ::operator delete[](pass(::operator new[](46)));
        std::free(pass(std::malloc(47)));
    }
    say("wrong", 5);
    return 0;
}
