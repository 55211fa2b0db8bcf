/* Looks like a session of calltap: has memory that is called like a segment. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    int segment = memfd_create("calltap", 0);
    if (segment < 0 || ftruncate(segment, 1 << 20) != 0)
        return 1;
    puts("ready");
    fflush(stdout);
    for (;;)
        pause();
}
