// Functions that return twice: setjmp through library frames, vfork with exec and _exit, getcontext.
//
// torture: builds product
#include <setjmp.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

static jmp_buf back;
static volatile long jumps;

static int jumper(const void *a, const void *b)
{
    (void)a, (void)b;
    longjmp(back, (int)(++jumps % 100) + 1);
}

static long values(void)
{
    volatile long sum = 0;
    for (volatile int i = 0; i < 300; i++) {
        int numbers[] = {2, 1};
        int came = setjmp(back);
        if (came == 0)
            qsort(numbers, 2, sizeof *numbers, jumper);
        sum += came;
    }
    return sum;
}

static int vforked(const char *program)
{
    int status;
    volatile int kept = 4711;
    pid_t child = vfork();
    if (child == 0) {
        if (program)
            execl(program, program, (char *)NULL);
        _exit(program ? 9 : 5);
    }
    EXPECT(child > 0 && kept == 4711 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

int main(void)
{
    EXPECT(values() == 3 * 5050);
    for (int i = 0; i < 5; i++)
        EXPECT(vforked(NULL) == 5 && vforked("/bin/false") == 1 && vforked("/nowhere") == 9);
    ucontext_t context;
    volatile int came = 0;
    EXPECT(getcontext(&context) == 0);
    if (++came < 10)
        setcontext(&context);
    EXPECT(came == 10);
    printf("call.qsort=300\ncall.vfork=15\n");
    return 0;
}
