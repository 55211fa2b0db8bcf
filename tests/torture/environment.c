// What the program and its children see of the environment: also LD_PRELOAD, changed, emptied and without libc.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

extern char **environ;

static void print_variables(const char *who)
{
    int preload = 0, ours = 0, variables = 0;
    for (char **variable = environ; variable && *variable; variable++, variables++) {
        preload += !strncmp(*variable, "LD_", 3);
        ours += strcasestr(*variable, "CALLTAP_") == *variable;
    }
    printf("%s: LD_ variables %d, ours %d\n", who, preload, ours);
    fflush(stdout);
    (void)variables;
}

static int run(char *const arguments[], char *const variables[])
{
    int status;
    pid_t child = fork();
    MUST(child >= 0);
    if (child == 0) {
        execve(arguments[0], arguments, variables);
        _exit(127);
    }
    MUST(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        print_variables(argv[1]);
        for (char **variable = environ; *variable; variable++)
            printf("%s: %s\n", argv[1], *variable);
        return 0;
    }
    print_variables("at first");
    MUST(!getenv("LD_PRELOAD"));
    // The environment at the start of the process, as others see it.
    FILE *file = fopen("/proc/self/environ", "r");
    MUST(file);
    static char text[1 << 16];
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    (void)length;
    char *const child[] = {"/proc/self/exe", "emptied", NULL}, *const other[] = {"/proc/self/exe", "one", NULL};
    char *const nothing[] = {NULL}, *const one[] = {"ONE=1", NULL};
    MUST(run(child, nothing) == 0);
    MUST(run(other, one) == 0);
    char *const none[] = {"/proc/self/exe", "no array", NULL};
    MUST(run(none, NULL) == 0);
    MUST(!setenv("LD_PRELOAD", "", 1));
    MUST(!setenv("NEW", "value", 1) && !unsetenv("NEW"));
    char *const with_empty[] = {"LD_PRELOAD=", NULL}, *const third[] = {"/proc/self/exe", "empty preload", NULL};
    MUST(run(third, with_empty) == 0);
    clearenv();
    MUST(environ == NULL || *environ == NULL);
    MUST(system("echo $ONE | tr x y") == 0);
    print_variables("cleared");
    MUST(!putenv("TWO=2") && environ[0] && !environ[1]);
    return system("echo $TWO; test -z \"$LD_PRELOAD\"");
}
