// Threads of C++ with conditions, futures, once and thread-local objects whose destructors allocate.
//
// torture: libraries -pthread
#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "check.h"

static std::atomic<long> destroyed{0}, kept{0};

struct Local {
    std::map<int, std::string> words;
    ~Local()
    {
        for (auto &[number, word] : words)
            kept += (long)(word + std::string(100, 'x')).size() - 100;
        destroyed++;
    }
};

thread_local Local local;

int main()
{
    std::mutex mutex;
    std::condition_variable condition;
    std::once_flag once;
    int turn = 0, onces = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 30; t++)
        threads.emplace_back([&, t] {
            std::call_once(once, [&] { onces++; });
            for (int i = 0; i < 20; i++)
                local.words[i] = std::string(i + 30, 'w');
            std::unique_lock<std::mutex> lock(mutex);
            condition.wait(lock, [&] { return turn == t; });
            turn++;
            condition.notify_all();
        });
    for (auto &thread : threads)
        thread.join();
    std::vector<std::future<long>> futures;
    for (long i = 0; i < 20; i++)
        futures.push_back(std::async(std::launch::async, [i] { return i * i; }));
    long squares = 0;
    for (auto &future : futures)
        squares += future.get();
    printf("turns %d, once %d, destroyed %ld, kept %ld, squares %ld\n", turn, onces, destroyed.load(), kept.load(), squares);
    EXPECT(turn == 30 && destroyed == 30 && kept == 30 * (20 * 30 + 190) && squares == 2470);
    return 0;
}
