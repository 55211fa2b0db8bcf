// Exceptions within destructors that run because of another exception, rethrown, nested, and counted.
#include <exception>
#include <fcntl.h>
#include <string>
#include <unistd.h>

#include "check.h"

static long inner, uncaught;

struct Guard {
    int fd = open("/dev/null", O_RDONLY);
    ~Guard()
    {
        uncaught += std::uncaught_exceptions();
        try {
            std::string text(100, 'x');
            throw text;
        } catch (const std::string &text) {
            inner += (long)text.size();
        }
        EXPECT(close(fd) == 0);
    }
};

struct Throws {
    ~Throws() noexcept(false) { throw 5L; }
};

struct Outer {
    int depth;
};

static void nested(int depth)
{
    Guard guard;
    if (depth == 0)
        throw std::string("the innermost");
    try {
        nested(depth - 1);
    } catch (...) {
        Guard again;
        std::throw_with_nested(Outer{depth});
    }
}

static int depth_of(const std::exception_ptr &pointer)
{
    try {
        std::rethrow_exception(pointer);
    } catch (const std::nested_exception &outer) {
        return 1 + depth_of(outer.nested_ptr());
    } catch (const std::string &text) {
        return text == "the innermost" ? 0 : -1000;
    }
}

int main()
{
    for (int i = 0; i < 20; i++) {
        try {
            nested(5);
        } catch (...) {
            EXPECT(depth_of(std::current_exception()) == 5);
        }
        try {
            Throws throws;
        } catch (long number) {
            EXPECT(number == 5);
        }
    }
    printf("inner %ld, uncaught %ld, next descriptor %d\n", inner, uncaught, dup(0));
    printf("call.open=220\ncall.close=220\ncall.dup=1\n");
    return 0;
}
