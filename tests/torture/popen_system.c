// Runs shell commands with popen and system: output, input, statuses, and signals of the caller kept.
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

int main(void)
{
    char line[100];
    for (int i = 0; i < 3; i++) {
        FILE *output = popen("echo from a shell; exit 3", "r");
        MUST(output && fgets(line, sizeof line, output) && !strcmp(line, "from a shell\n"));
        MUST(!fgets(line, sizeof line, output));
        int status = pclose(output);
        MUST(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    }
    FILE *input = popen("read a; echo \"read $a\"; cat >/dev/null", "w");
    MUST(input && fputs("a line\n", input) >= 0 && pclose(input) == 0);
    // Two at a time: the second must not hold the first one's end open.
    FILE *one = popen("cat", "w"), *two = popen("cat", "w");
    MUST(one && two && pclose(one) == 0 && pclose(two) == 0);
    struct sigaction before, after;
    MUST(!sigaction(SIGINT, NULL, &before));
    int status = system("kill -INT $$");
    MUST(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    MUST(!sigaction(SIGINT, NULL, &after) && before.sa_handler == after.sa_handler);
    MUST(system(NULL) == 1 && system("exit 200") == 200 << 8 && system("/nonexistent/program 2>/dev/null") == 127 << 8);
    printf("call.popen=6\ncall.pclose=6\ncall.system=4\n");
    return 0;
}
