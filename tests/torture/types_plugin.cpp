// Classes that only the plugin knows.
#include "types.h"

#include <string>

struct Both : Left, Right {
    std::string own = std::string(50, 'b');
    const char *name() const override { return own.substr(0, 4) == "bbbb" ? "both" : "broken"; }
    int left() const override { return 10; }
};
struct OnlyRight : Right {
    int right() const override { return 20; }
};

extern "C" Base *make(int kind)
{
    switch (kind) {
    case 0:
        return new Base;
    case 1:
        return new Both;
    case 2:
        return new OnlyRight;
    }
    throw Refusal();
}
