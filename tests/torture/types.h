// Classes of the program that a plugin derives from.
#include <exception>

struct Base {
    static int alive;
    Base();
    virtual ~Base();
    virtual const char *name() const;
};
struct Left : virtual Base {
    virtual int left() const { return 1; }
};
struct Right : virtual Base {
    virtual int right() const { return 2; }
};
struct Refusal : std::exception {
    const char *what() const noexcept override { return "no such kind"; }
};
