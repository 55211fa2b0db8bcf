// Spends memory and time in a known way, alone or with children, and prints what the kernel has counted of it.
//
// usage: spends MIB CPU_MS PAUSES [alone|child|vfork]
//   alone  touches MIB MiB, computes for CPU_MS milliseconds, pauses so often for a millisecond
//   child  the same in a child too, at the same time, which is waited for
//   vfork  a child made by vfork pauses for 300 ms in the same memory, then executes true
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include "say.h"

static void pause_ms(long milliseconds)
{
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static void touch(size_t bytes)
{
    char *memory = mmap(NULL, bytes + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    // Small pages, each with a fault of its own.
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < bytes; at += 4096)
        memory[at] = 1;
}

static void compute(long milliseconds)
{
    struct timespec now;
    do
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    while (now.tv_sec * 1000 + now.tv_nsec / 1000000 < milliseconds);
}

static void spend(char **arguments)
{
    touch((size_t)atol(arguments[1]) << 20);
    compute(atol(arguments[2]));
    for (long i = atol(arguments[3]); i > 0; i--)
        pause_ms(1);
}

static long long microseconds(struct timeval time)
{
    return time.tv_sec * 1000000LL + time.tv_usec;
}

static long high_water_mark(void)
{
    char line[256];
    long kib = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, status))
        sscanf(line, "VmHWM: %ld", &kib);
    fclose(status);
    return kib;
}

int main(int argc, char **argv)
{
    const char *how = argc > 4 ? argv[4] : "alone";
    pid_t child = 0;
    if (!strcmp(how, "child")) {
        child = fork();
        spend(argv);
        if (!child)
            _exit(0);
    } else {
        spend(argv);
    }
    if (!strcmp(how, "vfork") && !(child = vfork())) {
        pause_ms(300);
        execl("/bin/true", "true", (char *)NULL);
        _exit(127);
    }
    if (child)
        waitpid(child, NULL, 0);
    long high = high_water_mark();
    struct rusage own, children;
    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    say("high water mark", high);
    say("peak", own.ru_maxrss > children.ru_maxrss ? own.ru_maxrss : children.ru_maxrss);
    say("minor faults", own.ru_minflt + children.ru_minflt);
    say("major faults", own.ru_majflt + children.ru_majflt);
    say("voluntary", own.ru_nvcsw + children.ru_nvcsw);
    say("cpu", microseconds(own.ru_utime) + microseconds(own.ru_stime) + microseconds(children.ru_utime)
                   + microseconds(children.ru_stime));
    return 3;
}
