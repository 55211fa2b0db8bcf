// A library that says in which program it has been loaded: its base name, on stderr.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>

__attribute__((constructor)) static void announce(void)
{
    dprintf(2, "announced in %s\n", program_invocation_short_name);
}
