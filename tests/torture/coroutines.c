// Coroutines by makecontext and swapcontext, suspended within callbacks of library functions.
#include <fcntl.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

enum { FIBERS = 8, TURNS = 800 };
static ucontext_t scheduler, fibers[FIBERS];
static char stacks[FIBERS][32768];
static long compared[FIBERS], ended;
static int current;

static void yield(void) { swapcontext(&fibers[current], &scheduler); }

static int compare(const void *a, const void *b)
{
    void *block = sunk(malloc(64));
    yield();
    free(block);
    compared[current]++;
    return *(const int *)a - *(const int *)b;
}

static void fiber(int number)
{
    for (int round = 0; round < 5; round++) {
        int numbers[] = {5, number, 3, 9, 1, 7};
        int fd = open("/dev/null", O_RDONLY);
        qsort(numbers, 6, sizeof *numbers, compare);
        for (int i = 1; i < 6; i++)
            EXPECT(numbers[i - 1] <= numbers[i]);
        yield();
        EXPECT(close(fd) == 0);
    }
    ended++;
}

int main(void)
{
    for (int i = 0; i < FIBERS; i++) {
        EXPECT(getcontext(&fibers[i]) == 0);
        fibers[i].uc_stack.ss_sp = stacks[i];
        fibers[i].uc_stack.ss_size = sizeof stacks[i];
        fibers[i].uc_link = &scheduler;
        makecontext(&fibers[i], (void (*)(void))fiber, 1, i);
    }
    int live[FIBERS], count = FIBERS;
    for (int i = 0; i < FIBERS; i++)
        live[i] = i;
    for (int turn = 0; count; turn++) {
        int at = turn * 5 % count;
        long before = ended;
        current = live[at];
        swapcontext(&scheduler, &fibers[current]);
        if (ended > before)
            live[at] = live[--count];
    }
    long sum = 0;
    for (int i = 0; i < FIBERS; i++)
        sum += compared[i];
    printf("ended %ld, compared %ld\ncall.malloc=%ld\ncall.free=%ld\ncall.open=40\ncall.close=40\n", ended, sum, sum, sum);
    return 0;
}
