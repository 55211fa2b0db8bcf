/* Lets nobody look into it, as programs with secrets do: its files in /proc are root's. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

int main(void)
{
    char *block = malloc(100);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || !block)
        return 1;
    char *other = malloc(200);
    puts("hidden");
    free(block);
    return other ? 7 : 1;
}
