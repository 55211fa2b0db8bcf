// How a target prints its own truth: `key=value` lines, without touching the heap or stdio's buffers.
#pragma once
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static inline void say_text(const char *key, const char *value)
{
    char line[4096];
    int length = snprintf(line, sizeof line, "%s=%s\n", key, value);
    if (length > (int)sizeof line - 1)
        length = sizeof line - 1;
    if (write(STDOUT_FILENO, line, (size_t)length) != length)
        _exit(99);
}

static inline void say(const char *key, long long value)
{
    char digits[32];
    snprintf(digits, sizeof digits, "%lld", value);
    say_text(key, digits);
}

// What a place has leaked: `leaked.PLACE.blocks` and `leaked.PLACE.bytes`.
static inline void said(const char *place, long blocks, long bytes)
{
    char key[64];
    snprintf(key, sizeof key, "leaked.%s.blocks", place);
    say(key, blocks);
    snprintf(key, sizeof key, "leaked.%s.bytes", place);
    say(key, bytes);
}

// Ends the target with a status no story expects.
static inline void fail(const char *what)
{
    say_text("failed", what);
    _exit(98);
}
