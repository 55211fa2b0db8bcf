// Handlers of pthread_atfork run in their order around fork, allocate, and may fork themselves no more than once.
//
// torture: libraries -pthread
#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "must.h"

static char said[100];

static void say(char letter)
{
    void *volatile block = malloc(100);
    free(block);
    size_t length = strlen(said);
    said[length] = letter;
    said[length + 1] = 0;
}

static void prepare_one(void) { say('a'); }
static void parent_one(void) { say('b'); }
static void child_one(void) { say('c'); }
static void prepare_two(void) { say('A'); }
static void parent_two(void) { say('B'); }
static void child_two(void) { say('C'); }

int main(void)
{
    MUST(!pthread_atfork(prepare_one, parent_one, child_one));
    MUST(!pthread_atfork(prepare_two, parent_two, child_two));
    for (int i = 0; i < 3; i++) {
        said[0] = 0;
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0)
            _exit(!strcmp(said, "AacC") ? 4 : 5);
        int status;
        MUST(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 4);
        MUST(!strcmp(said, "AabB"));
    }
    // vfork and system run none.
    said[0] = 0;
    MUST(system("exit 1") == 1 << 8 && !*said);
    printf("in order\ncall.fork=3\ncall.system=1\n");
    return 0;
}
