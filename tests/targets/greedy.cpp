// Asks operator new for a lot of memory at once: greedy HOW BYTES. Touches nothing.
#include <cstdlib>
#include <cstring>
#include <new>

static void *volatile kept;

int main(int count, char **arguments)
{
    if (count != 3)
        return 98;
    size_t bytes = strtoul(arguments[2], nullptr, 0);
    if (!strcmp(arguments[1], "new"))
        kept = ::operator new(bytes);
    else if (!strcmp(arguments[1], "array"))
        kept = ::operator new[](bytes);
    else if (!strcmp(arguments[1], "nothrow"))
        kept = ::operator new(bytes, std::nothrow);
    return kept ? 0 : 99;
}
