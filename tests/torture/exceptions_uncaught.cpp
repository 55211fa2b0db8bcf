// An exception that nobody catches ends the program by std::terminate, after its handler has run.
//
// torture: ends SIGABRT
#include <exception>
#include <stdexcept>

#include "check.h"

static void (*former)();

static void last_words()
{
    free(sunk(malloc(10)));
    fprintf(stderr, "about to end\n");
    former();
}

int main()
{
    former = std::set_terminate(last_words);
    puts("call.malloc=1");
    fflush(stdout);
    throw std::runtime_error("uncaught");
}
