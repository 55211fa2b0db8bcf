// Frees all that it allocates; what stays is the C++ run-time's: streams, the emergency pool.
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static std::string global_string = "a string too long for the small-string optimisation of any library";

int main()
{
    std::map<int, std::string> table;
    for (int i = 0; i < 100; i++)
        table[i] = global_string + std::to_string(i);
    try {
        throw std::runtime_error("thrown");
    } catch (const std::exception &error) {
        std::cout << error.what() << '\n';
    }
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back([] {
            thread_local std::string own = global_string + " of a thread";
            std::ostringstream text;
            text << own.size();
        });
    for (auto &thread : threads)
        thread.join();
    auto shared = std::make_shared<int>(table.size());
    std::cerr << *shared << std::endl;
    return 0;
}
