// Gives up gaining rights by exec, for itself, threads and children; programs it starts have given up, too.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/prctl.h>
#include "must.h"

int main(void)
{
    MUST(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    MUST(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == -1 && errno == EINVAL);
    MUST(system("grep NoNewPrivs /proc/self/status") == 0);
    printf("call.system=1\n");
    return 0;
}
