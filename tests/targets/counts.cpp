// Counts its own operator new and delete calls, all twenty forms: counts THREADS ITERATIONS.
//
// An operator that takes its block from malloc makes one allocation, not two.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <pthread.h>
#include <thread>
#include <vector>
#include "say.h"

namespace {

constexpr auto WIDE = std::align_val_t{128};
std::atomic<long> allocations, frees, failed, wide;
pthread_barrier_t barrier;

void *made(void *block)
{
    if (block == nullptr)
        fail("operator new");
    allocations++;
    wide += reinterpret_cast<std::uintptr_t>(block) % 128 == 0;
    return block;
}

void *gone(void *block)
{
    frees++;
    return block;
}

void single(std::size_t n)
{
    void *plain[] = {made(::operator new(n)), made(::operator new(n, std::nothrow)), made(::operator new(n))};
    void *aligned[] = {made(::operator new(n, WIDE)), made(::operator new(n, WIDE, std::nothrow)),
                       made(::operator new(n, WIDE))};
    ::operator delete(gone(plain[0]));
    ::operator delete(gone(plain[1]), std::nothrow);
    ::operator delete(gone(plain[2]), n);
    ::operator delete(gone(aligned[0]), WIDE);
    ::operator delete(gone(aligned[1]), WIDE, std::nothrow);
    ::operator delete(gone(aligned[2]), n, WIDE);
}

void array(std::size_t n)
{
    void *plain[] = {made(::operator new[](n)), made(::operator new[](n, std::nothrow)), made(::operator new[](n))};
    void *aligned[] = {made(::operator new[](n, WIDE)), made(::operator new[](n, WIDE, std::nothrow)),
                       made(::operator new[](n, WIDE))};
    ::operator delete[](gone(plain[0]));
    ::operator delete[](gone(plain[1]), std::nothrow);
    ::operator delete[](gone(plain[2]), n);
    ::operator delete[](gone(aligned[0]), WIDE);
    ::operator delete[](gone(aligned[1]), WIDE, std::nothrow);
    ::operator delete[](gone(aligned[2]), n, WIDE);
}

void refused()
{
    volatile std::size_t too_much = PTRDIFF_MAX;
    if (::operator new(too_much, std::nothrow) != nullptr)
        fail("operator new(nothrow) gave half the address space");
    failed++;
    allocations++, frees++; // libstdc++ catches a bad_alloc in there, which lives on the heap
    ::operator delete(nullptr);
}

void work(int iterations)
{
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < iterations; i++) {
        single(static_cast<std::size_t>(1 + i % 300));
        array(static_cast<std::size_t>(1 + i % 300));
        refused();
    }
    pthread_barrier_wait(&barrier);
}

} // namespace

int main(int, char **argv)
{
    const int threads = std::atoi(argv[1]);
    const int iterations = std::atoi(argv[2]);
    pthread_barrier_init(&barrier, nullptr, static_cast<unsigned>(threads));
    {
        std::vector<std::thread> pool;
        for (int i = 0; i < threads; i++)
            pool.emplace_back(work, iterations);
        for (auto &thread : pool)
            thread.join();
    }
    if (wide < allocations / 2)
        fail("an aligned block is not aligned");
    say("heap.allocations", allocations);
    say("heap.frees", frees);
    say("heap.failed_allocations", failed);
    return 0;
}
