// A C++ library that stays loaded: it defines symbols that are to be unique in the process.
#include <iostream>
#include <string>
#include <vector>

extern "C" int library_work(int count)
{
    std::vector<std::string> lines;
    for (int i = 0; i < count; i++)
        lines.push_back(std::string(50, 'x'));
    return static_cast<int>(lines.size());
}
