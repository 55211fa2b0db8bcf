// Exceptions that come out of tapped calls themselves: operator new that has no memory, or whose handler throws.
#include <new>
#include <stdexcept>

#include "check.h"

static volatile size_t huge = (size_t)1 << 60;
static long handled;

static void refuses()
{
    handled++;
    throw std::length_error("the handler's own");
}

static void gives_up()
{
    handled++;
    std::set_new_handler(nullptr);
}

int main()
{
    long bad = 0, own = 0;
    for (int i = 0; i < 50; i++) {
        try {
            free(sunk(operator new(huge)));
        } catch (const std::bad_alloc &) {
            bad++;
        }
        std::set_new_handler(gives_up);
        try {
            free(sunk(new char[huge]));
        } catch (const std::bad_alloc &) {
            bad++;
        }
        std::set_new_handler(refuses);
        try {
            free(sunk(operator new(huge)));
        } catch (const std::length_error &) {
            own++;
        }
        EXPECT(sunk(operator new(100, std::nothrow)) != nullptr);
        std::set_new_handler(nullptr);
        EXPECT(sunk(operator new(huge, std::nothrow)) == nullptr);
    }
    printf("bad_alloc %ld, the handler's %ld, handled %ld\n", bad, own, handled);
    printf("call._ZnwmRKSt9nothrow_t=%ld\n", 2 * own);
    return 0;
}
