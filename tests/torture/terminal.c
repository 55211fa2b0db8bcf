// A shell's work with a terminal of its own: a session, foreground groups, a child stopped for reading in the background.
//
// torture: libraries -lutil
#define _GNU_SOURCE
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <utmp.h>
#include "must.h"

int main(void)
{
    int master, slave, status;
    struct winsize size = {.ws_row = 33, .ws_col = 111};
    MUST(!openpty(&master, &slave, NULL, NULL, &size));
    printf("terminal %d %d\n", master, slave);
    fflush(stdout);
    pid_t shell = fork();
    MUST(shell >= 0);
    if (shell == 0) {
        MUST(!login_tty(slave) && isatty(0) && !close(master));
        struct winsize seen;
        MUST(!ioctl(0, TIOCGWINSZ, &seen) && seen.ws_row == 33 && seen.ws_col == 111);
        MUST(tcgetpgrp(0) == getpid());
        signal(SIGTTOU, SIG_IGN);
        pid_t job = fork();
        if (job == 0) {
            MUST(!setpgid(0, 0));
            char text[10];
            ssize_t length = read(0, text, sizeof text); // In the background: SIGTTIN stops it.
            _exit(length == 5 && !memcmp(text, "line\n", 5) ? 6 : 7);
        }
        setpgid(job, job);
        if (waitpid(job, &status, WUNTRACED) != job || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTTIN)
            _exit(50);
        if (tcsetpgrp(0, job) || kill(-job, SIGCONT))
            _exit(51);
        if (waitpid(job, &status, 0) != job || !WIFEXITED(status))
            _exit(52);
        _exit(WEXITSTATUS(status) == 6 ? 8 : 53);
    }
    close(slave);
    MUST(write(master, "line\n", 5) == 5);
    MUST(waitpid(shell, &status, 0) == shell && WIFEXITED(status));
    printf("the shell ended with %d\ncall.openpty=1\ncall.fork=2\n", WEXITSTATUS(status));
    return WEXITSTATUS(status) != 8;
}
