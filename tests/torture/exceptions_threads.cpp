// Exceptions in many threads at one time, and carried from one thread to another.
//
// torture: libraries -pthread
#include <exception>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "check.h"

static int thrown_at(int depth, int number)
{
    std::string text = std::to_string(number);
    if (depth == 0)
        throw std::runtime_error("thread " + text);
    return thrown_at(depth - 1, number) + (int)text.size();
}

int main()
{
    std::vector<std::exception_ptr> carried(40);
    std::vector<std::thread> threads;
    long caught[40] = {};
    for (int t = 0; t < 40; t++)
        threads.emplace_back([t, &carried, &caught] {
            for (int i = 0; i < 50; i++) {
                try {
                    thrown_at(i % 10, t);
                } catch (const std::exception &) {
                    caught[t]++;
                    carried[t] = std::current_exception();
                }
            }
        });
    for (auto &thread : threads)
        thread.join();
    for (int t = 0; t < 40; t++) {
        try {
            std::rethrow_exception(carried[t]);
        } catch (const std::runtime_error &error) {
            EXPECT(caught[t] == 50 && error.what() == "thread " + std::to_string(t));
        }
    }
    carried.clear();
    auto failing = std::async(std::launch::async, [] { return thrown_at(3, 99); });
    try {
        failing.get();
        return 1;
    } catch (const std::runtime_error &error) {
        puts(error.what());
    }
    printf("call.%s=1\n", "puts");
    return 0;
}
