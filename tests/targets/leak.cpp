// Leaks in every place from which C++ code can be called: leak. What it says and how its lines are marked
// is as in leak.c; a place's allocation may go through frames of the standard library.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>
#include "say.h"

#define PLACE __attribute__((noinline))

static void *volatile kept;

template <typename T> struct Shelf {
    PLACE static void fill(int count)
    {
        kept = new T[count]; // LEAK template
        said("template", 1, static_cast<long>(sizeof(T)) * count);
    }
};

template <typename T> PLACE void generic(int count)
{
    Shelf<T>::fill(count); // VIA template
    kept = nullptr;
}

PLACE static void call(const std::function<void(int)> &callback)
{
    callback(6); // VIA callback
    kept = nullptr;
}

struct Base {
    virtual ~Base() = default;
    virtual void act() = 0;
};

namespace {
struct Derived : Base {
    PLACE void act() override
    {
        kept = new long(5); // LEAK virtual
        said("virtual", 1, sizeof(long));
    }
};
} // namespace

struct Early {
    PLACE Early()
    {
        kept = new char[23]; // LEAK global
        said("global", 1, 23);
    }
};
static Early early;

PLACE static void hold(long count)
{
    auto *numbers = new std::vector<long>; // LEAK container
    numbers->reserve(count); // LEAK storage
    kept = numbers;
    said("container", 1, sizeof(std::vector<long>));
    said("storage", 1, count * static_cast<long>(sizeof(long)));
}

PLACE static void thrower(int number)
{
    if (number > 0)
        throw std::runtime_error("as agreed");
}

PLACE static void catcher()
{
    try {
        thrower(1);
    } catch (const std::exception &) {
        kept = new int[5]; // LEAK handler
        said("handler", 1, 5 * sizeof(int));
    }
}

struct alignas(64) Wide {
    char bytes[64];
};

PLACE static void several_forms()
{
    kept = new Wide; // LEAK aligned
    said("aligned", 1, sizeof(Wide));
    kept = new (std::nothrow) char[37]; // LEAK nothrow
    said("nothrow", 1, 37);
    kept = std::make_unique<short[]>(19).release(); // LEAK smart
    said("smart", 1, 19 * sizeof(short));
}

int main()
{
    generic<double>(9); // VIA template
    int calls = 0;
    call([&](int count) {
        kept = new int[count]; // LEAK callback
        calls++;
    });
    said("callback", calls, calls * 6 * static_cast<long>(sizeof(int)));
    std::unique_ptr<Base> base(new Derived);
    base->act(); // VIA virtual
    hold(29); // VIA container
    catcher(); // VIA handler
    several_forms();
    std::map<std::string, std::string> noise;
    for (int i = 0; i < 100; i++)
        noise[std::to_string(i)] = std::string(100, 'x');
    return 0;
}
