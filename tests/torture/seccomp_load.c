// A strict sandbox under load: so many calls that rings fill, where nothing may be asked of the kernel any more.
#include "sandbox.h"

int main(void)
{
    enter_sandbox();
    for (size_t i = 1; i <= 60000; i++) {
        void *volatile block = malloc(i % 3000);
        if (!block)
            _exit(2);
        free(block);
    }
    static const char said[] = "allocated much in a sandbox\ncall.malloc=60001\ncall.free=60001\n";
    return write(1, said, sizeof said - 1) != sizeof said - 1;
}
