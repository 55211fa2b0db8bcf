// 16 threads that build and take apart maps, vectors and strings: crowd_of_strings ROUNDS.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

constexpr int THREADS = 16;

static std::uint64_t work(std::uint32_t random, int rounds)
{
    std::uint64_t sum = 0;
    std::map<std::string, std::vector<std::uint32_t>> lasting;
    for (int round = 0; round < rounds; round++) {
        std::unordered_map<std::uint32_t, std::string> words;
        for (int i = 0; i < 200; i++) {
            random = random * 1664525 + 1013904223;
            words[random >> 20] += std::string(1 + (random >> 8) % 100, static_cast<char>('a' + random % 26));
        }
        for (auto &[key, word] : words) {
            auto &places = lasting[word.substr(0, 40)];
            places.push_back(key);
            sum += places.size() * key + word.size();
        }
        auto copy = std::make_unique<std::vector<std::string>>();
        for (auto &[word, places] : lasting)
            copy->push_back(word + std::to_string(places.size()));
        for (auto &word : *copy)
            sum += word.size() + static_cast<unsigned char>(word.back());
        if (lasting.size() > 1000)
            lasting.clear();
    }
    return sum;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 98;
    int rounds = std::atoi(argv[1]);
    std::vector<std::thread> threads;
    std::vector<std::uint64_t> sums(THREADS);
    for (int i = 0; i < THREADS; i++)
        threads.emplace_back([i, rounds, &sums] { sums[i] = work(static_cast<std::uint32_t>(i), rounds); });
    std::uint64_t sum = 0;
    for (int i = 0; i < THREADS; i++) {
        threads[i].join();
        sum += sums[i];
    }
    std::printf("sum=%llu\n", static_cast<unsigned long long>(sum));
}
