// Rounding mode, masked exceptions and precision are the program's: MXCSR and the x87 control word before and after calls.
//
// torture: libraries -lm
#define _GNU_SOURCE
#include <fcntl.h>
#include <fenv.h>
#include <math.h>
#include <unistd.h>

#include "check.h"

static unsigned mxcsr(void)
{
    unsigned word;
    __asm__ volatile("stmxcsr %0" : "=m"(word));
    return word;
}

static unsigned short control(void)
{
    unsigned short word;
    __asm__ volatile("fnstcw %0" : "=m"(word));
    return word;
}

static void calls(void)
{
    int fd = open("/dev/null", O_RDONLY);
    void *block = sunk(malloc(100));
    EXPECT(fd == 3 && close(fd) == 0);
    free(sunk(realloc(block, 1000)));
}

int main(void)
{
    int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
    volatile double one = 1, three = 3;
    for (int i = 0; i < 20; i++) {
        EXPECT(fesetround(modes[i % 4]) == 0);
        volatile double before = one / three;
        // Denormals are zero, and flushed to it.
        unsigned set = (mxcsr() & ~0x3fu) | (i % 2 ? 0x8040u : 0);
        __asm__ volatile("ldmxcsr %0" : : "m"(set));
        unsigned short precision = (unsigned short)((control() & ~0x300) | (i % 3 == 0 ? 0 : 0x300));
        __asm__ volatile("fldcw %0" : : "m"(precision));
        calls();
        EXPECT(mxcsr() == set && control() == precision);
        EXPECT(fegetround() == modes[i % 4] && one / three == before);
        feclearexcept(FE_ALL_EXCEPT);
        EXPECT(fetestexcept(FE_ALL_EXCEPT) == 0);
        volatile double unused = one / (three - 3);
        (void)unused;
        calls();
        EXPECT(fetestexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW) == FE_DIVBYZERO);
        feclearexcept(FE_ALL_EXCEPT);
        precision |= 0x300;
        __asm__ volatile("fldcw %0" : : "m"(precision));
        set &= ~0x8040u;
        __asm__ volatile("ldmxcsr %0" : : "m"(set));
    }
    fesetround(FE_TONEAREST);
    // Trapping is the program's choice; calls may not trap.
    EXPECT(feenableexcept(FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW) == 0);
    for (int i = 0; i < 10; i++)
        calls();
    EXPECT(fegetexcept() == (FE_DIVBYZERO | FE_INVALID | FE_OVERFLOW));
    printf("%.17g\ncall.open=50\ncall.close=50\ncall.malloc=50\ncall.realloc=50\ncall.free=50\n", sqrt(one / three));
    return 0;
}
