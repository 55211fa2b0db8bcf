/* Writes another process's number wherever calltap's segment has its own. SIGTERM ends it with status 3. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of the segment that are looked at: its header and directory, and more. */
enum { LOOKED_AT = 1 << 20 };

static void end(int signal)
{
    (void)signal;
    _exit(3);
}

int main(int argc, char **argv)
{
    char line[512];
    uint64_t segment = 0, own = (uint64_t)getpid();
    FILE *maps = fopen("/proc/self/maps", "r");
    signal(SIGTERM, end);
    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "/memfd:calltap ") && !segment)
            sscanf(line, "%" SCNx64, &segment);
    if (argc < 2 || !segment)
        return 1;
    uint64_t other = strtoull(argv[1], NULL, 10);
    for (size_t at = 0; at < LOOKED_AT; at += 4) {
        uint32_t *half = (uint32_t *)(segment + at);
        if (*half == own)
            *half = (uint32_t)other;
    }
    if (write(STDOUT_FILENO, "written\n", 8) < 0)
        return 4;
    for (;;)
        pause();
}
