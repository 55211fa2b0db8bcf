// Streams of C++ and C together, with locales, formats, files and numbers.
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>

#include "check.h"

int main()
{
    std::ios::sync_with_stdio(true);
    std::cout << "one " << 1 << ' ' << std::hex << 255 << std::dec << ' ' << std::setprecision(12) << 1.0 / 3 << std::endl;
    printf("two %.12f\n", 2.0 / 3);
    std::cerr << "to stderr\n" << std::flush;
    std::ostringstream text;
    for (int i = 0; i < 2000; i++)
        text << i << (i % 10 == 9 ? '\n' : ' ');
    std::string path = std::string(getenv("TMPDIR")) + "/streams";
    {
        std::ofstream file(path);
        file << text.str();
        EXPECT(file.good());
    }
    std::ifstream file(path);
    std::string line;
    long sum = 0, lines = 0, number;
    while (std::getline(file, line)) {
        std::istringstream words(line);
        while (words >> number)
            sum += number;
        lines++;
    }
    EXPECT(remove(path.c_str()) == 0);
    std::cout << "sum " << sum << " of " << lines << " lines" << std::endl;
    std::ifstream missing("/nowhere/at/all");
    EXPECT(!missing);
    std::cout.exceptions(std::ios::badbit);
    std::cout << "call.remove=1\n";
    return sum == 1999000 && lines == 200 ? 0 : 1;
}
