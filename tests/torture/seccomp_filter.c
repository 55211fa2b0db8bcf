// Allows itself only write, exit and what the allocator needs, kills on anything else, then allocates and writes.
#include "sandbox.h"

int main(void)
{
    enter_sandbox();
    for (size_t i = 1; i <= 1000; i++) {
        void *volatile block = malloc(i * 300);
        if (!block)
            _exit(2);
        free(block);
    }
    static const char said[] = "allocated in a sandbox\ncall.malloc=1001\ncall.free=1001\n";
    return write(1, said, sizeof said - 1) != sizeof said - 1;
}
