// How torture's programs say what they found wrong: where, and with which errno.
#ifndef MUST_H
#define MUST_H
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Ends the process with status 1 unless `condition` holds. `_exit`, since it may be a child that says so.
#define MUST(condition) ((condition) ? (void)0 : must_fail(__FILE__, __LINE__, #condition))

static inline void must_fail(const char *file, int line, const char *condition)
{
    const char *name = strrchr(file, '/');
    const char *why = strerror(errno);
    dprintf(2, "%s:%d: not so: %s (%s)\n", name ? name + 1 : file, line, condition, why);
    _exit(1);
}

#endif
