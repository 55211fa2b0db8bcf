// Exceptions through frames of C: out of callbacks of qsort and bsearch, of a C library, of a coroutine's first frame.
//
// torture: linked calls_back.c -fexceptions
#include <cstring>
#include <stdexcept>

#include "check.h"

extern "C" int calls_back(int (*function)(int), int number, int depth);

static long destroyed;

struct Count {
    void *block = sunk(malloc(40));
    ~Count()
    {
        free(block);
        destroyed++;
    }
};

static int throwing(const void *, const void *)
{
    Count count;
    throw std::runtime_error("from a comparison");
}

static int refusing(int number)
{
    Count count;
    if (number % 2)
        throw number;
    return number;
}

int main()
{
    long caught = 0, returned = 0;
    for (int i = 0; i < 50; i++) {
        int numbers[] = {3, 1, 2};
        try {
            Count count;
            qsort(numbers, 3, sizeof *numbers, throwing);
        } catch (const std::exception &thrown) {
            caught += strcmp(thrown.what(), "from a comparison") == 0;
        }
        try {
            Count count;
            (void)bsearch(numbers, numbers, 3, sizeof *numbers, throwing);
        } catch (...) {
            caught++;
        }
        try {
            Count count;
            returned += calls_back(refusing, i, i);
        } catch (int number) {
            caught += number == i;
        }
    }
    EXPECT(caught == 125 && returned == 600 && destroyed == 300);
    printf("caught %ld, returned %ld, destroyed %ld\n", caught, returned, destroyed);
    printf("call.malloc=300\ncall.qsort=50\ncall.calls_back=50\n");
    return 0;
}
