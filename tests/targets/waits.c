// Waits in many system calls, each in a thread of its own, and says how each wait ended: waits.
//
// What it prints does not depend on anything: an interruption that shows, shows here. A wait with a limit
// ends when that is over, all others after LONG.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include "say.h"

enum { LIMIT_MS = 700, LONG_MS = 900, STARVED_MS = 20000, FULL = 15 * 4096 };

static const struct timespec limit = {0, LIMIT_MS * 1000000L};
static const struct timeval limit_us = {0, LIMIT_MS * 1000L};
static char buffer[1 << 16];

static long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timespec later(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_nsec += limit.tv_nsec;
    time.tv_sec += time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

// What ends a wait from another process, so that nobody of this one has to be awake for it.
struct end {
    int pipe[2], sockets[2];
    pid_t waker;
};

static struct end ends(void (*wake)(struct end *))
{
    struct end end;
    if (pipe(end.pipe) || socketpair(AF_UNIX, SOCK_STREAM, 0, end.sockets))
        fail("pipes");
    pid_t target = getpid();
    // Without SIGCHLD: under ptrace a signal that is ignored wakes whoever sleeps, and cuts a transfer short.
    end.waker = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
    if (end.waker == 0) {
        usleep(LONG_MS * 1000);
        if (getppid() == target)
            wake(&end);
        _exit(7);
    }
    return end;
}

static void reap(struct end end)
{
    if (waitpid(end.waker, NULL, __WALL) != end.waker)
        fail("waitpid");
}

static void nobody(struct end *end) { (void)end; }
static void fills(struct end *end)
{
    if (write(end->pipe[1], "xy", 2) != 2 || write(end->sockets[1], "xy", 2) != 2)
        _exit(1);
}
static void drains(struct end *end)
{
    if (read(end->pipe[0], buffer, sizeof buffer) < FULL || read(end->sockets[1], buffer, sizeof buffer) < 1)
        _exit(1);
    // Whatever is left, until the writer has closed it.
    close(end->pipe[1]);
    while (read(end->pipe[0], buffer, sizeof buffer) > 0)
        ;
}

static long in_nanosleep(void) { return nanosleep(&limit, NULL); }
static long in_clock_nanosleep(void)
{
    struct timespec until = later(CLOCK_MONOTONIC);
    return -clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}
static long in_poll(void) { return poll(NULL, 0, LIMIT_MS); }
static long in_ppoll(void) { return ppoll(NULL, 0, &limit, NULL); }
static long in_select(void)
{
    struct timeval time = limit_us;
    return select(0, NULL, NULL, NULL, &time);
}
static long in_pselect(void) { return pselect(0, NULL, NULL, NULL, &limit, NULL); }
static long in_epoll_wait(void)
{
    struct epoll_event event;
    return epoll_wait(epoll_create1(0), &event, 1, LIMIT_MS);
}
static long in_epoll_pwait(void)
{
    struct epoll_event event;
    sigset_t none;
    sigemptyset(&none);
    return epoll_pwait(epoll_create1(0), &event, 1, LIMIT_MS, &none);
}
static long in_endless_epoll_wait(void)
{
    struct end end = ends(fills);
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(0);
    epoll_ctl(epoll, EPOLL_CTL_ADD, end.pipe[0], &event);
    long result = epoll_wait(epoll, &event, 1, -1);
    reap(end);
    return result;
}
static long in_futex(void)
{
    int word = 0;
    return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0);
}
static long in_condition(void)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    struct timespec until = later(CLOCK_REALTIME);
    pthread_mutex_lock(&mutex);
    int error = pthread_cond_timedwait(&condition, &mutex, &until);
    pthread_mutex_unlock(&mutex);
    return -error;
}
static long in_semaphore(void)
{
    sem_t semaphore;
    struct timespec until = later(CLOCK_REALTIME);
    sem_init(&semaphore, 0, 0);
    return sem_timedwait(&semaphore, &until);
}
static long in_read(void)
{
    struct end end = ends(fills);
    long result = read(end.pipe[0], buffer, 16);
    reap(end);
    return result;
}
static long in_recv(void)
{
    struct end end = ends(fills);
    long result = recv(end.sockets[0], buffer, 16, 0);
    reap(end);
    return result;
}
static long in_limited_recv(void)
{
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) ||
        setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &limit_us, sizeof limit_us))
        fail("SO_RCVTIMEO");
    return recv(sockets[0], buffer, 1, 0);
}
static int listener(void)
{
    struct sockaddr_un any = {.sun_family = AF_UNIX};
    int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(socket_fd, (struct sockaddr *)&any, sizeof any.sun_family) || listen(socket_fd, 1))
        fail("listen");
    return socket_fd;
}
static long in_limited_accept(void)
{
    int socket_fd = listener();
    setsockopt(socket_fd, SOL_SOCKET, SO_RCVTIMEO, &limit_us, sizeof limit_us);
    return accept(socket_fd, NULL, NULL);
}
static int listening;
static void connects(struct end *end)
{
    (void)end;
    struct sockaddr_un name;
    socklen_t length = sizeof name;
    if (getsockname(listening, (struct sockaddr *)&name, &length) ||
        connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, length))
        _exit(1);
}
static long in_accept(void)
{
    listening = listener();
    struct end end = ends(connects);
    int accepted = accept(listening, NULL, NULL);
    reap(end);
    return accepted < 0 ? -1 : 0;
}
// All but one page of a pipe is full, so the second page has to wait.
static long in_write(void)
{
    struct end end = ends(drains);
    if (write(end.sockets[0], buffer, 1) != 1 || write(end.pipe[1], buffer, FULL) != FULL)
        fail("pages");
    long result = write(end.pipe[1], buffer, 2 * 4096);
    close(end.pipe[1]);
    reap(end);
    return result;
}
static int queue;
static void posts(struct end *end)
{
    (void)end;
    struct { long type; char text; } message = {1, 'x'};
    if (msgsnd(queue, &message, 1, 0))
        _exit(1);
}
static long in_msgrcv(void)
{
    struct { long type; char text[8]; } message;
    queue = msgget(IPC_PRIVATE, 0600);
    struct end end = ends(posts);
    long result = msgrcv(queue, &message, sizeof message.text, 0, 0);
    int error = errno;
    msgctl(queue, IPC_RMID, NULL);
    reap(end);
    errno = error;
    return result;
}
static long in_semtimedop(void)
{
    int set = semget(IPC_PRIVATE, 1, 0600);
    struct sembuf down = {0, -1, 0};
    long result = semtimedop(set, &down, 1, &limit);
    int error = errno;
    semctl(set, 0, IPC_RMID);
    errno = error;
    return result;
}
static long in_sigtimedwait(void)
{
    sigset_t urgent;
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    pthread_sigmask(SIG_BLOCK, &urgent, NULL);
    return sigtimedwait(&urgent, NULL, &limit);
}
static long in_wait4(void)
{
    struct end end = ends(nobody);
    int status;
    return waitpid(end.waker, &status, __WALL) == end.waker ? WEXITSTATUS(status) : -1;
}
static int locked;
static long in_flock(void)
{
    char name[] = "/tmp/calltap-waits-XXXXXX";
    locked = mkstemp(name);
    int other = open(name, O_RDWR);
    unlink(name);
    pid_t holder = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
    if (holder == 0) {
        flock(locked, LOCK_EX);
        kill(getpid(), SIGSTOP);
        usleep(LONG_MS * 1000);
        _exit(0);
    }
    int status;
    if (waitpid(holder, &status, WUNTRACED | __WALL) != holder)
        fail("a holder");
    close(locked);
    kill(holder, SIGCONT);
    long result = flock(other, LOCK_EX);
    waitpid(holder, &status, __WALL);
    return result;
}

static volatile sig_atomic_t handled;
static void handles(int signal)
{
    (void)signal;
    handled = handled + 1;
}
static pthread_t paused, suspended;
static volatile int pausing;
static long in_pause(void)
{
    paused = pthread_self();
    __atomic_add_fetch(&pausing, 1, __ATOMIC_SEQ_CST);
    return pause();
}
static long in_sigsuspend(void)
{
    suspended = pthread_self();
    __atomic_add_fetch(&pausing, 1, __ATOMIC_SEQ_CST);
    sigset_t none;
    sigemptyset(&none);
    return sigsuspend(&none);
}

static struct wait {
    const char *name;
    long (*in)(void);
    int least_ms;
    long result, error, took_ms;
    pthread_t thread;
} waits[] = {
    {"nanosleep", in_nanosleep, LIMIT_MS}, {"clock_nanosleep", in_clock_nanosleep, LIMIT_MS},
    {"poll", in_poll, LIMIT_MS}, {"ppoll", in_ppoll, LIMIT_MS}, {"select", in_select, LIMIT_MS},
    {"pselect", in_pselect, LIMIT_MS}, {"epoll_wait", in_epoll_wait, LIMIT_MS},
    {"epoll_pwait", in_epoll_pwait, LIMIT_MS}, {"endless_epoll_wait", in_endless_epoll_wait, LONG_MS},
    {"futex", in_futex, LIMIT_MS}, {"condition", in_condition, LIMIT_MS},
    {"semaphore", in_semaphore, LIMIT_MS}, {"read", in_read, LONG_MS}, {"recv", in_recv, LONG_MS},
    {"limited_recv", in_limited_recv, LIMIT_MS}, {"limited_accept", in_limited_accept, LIMIT_MS}, {"accept", in_accept, LONG_MS},
    {"write", in_write, LONG_MS}, {"msgrcv", in_msgrcv, LONG_MS}, {"semtimedop", in_semtimedop, LIMIT_MS},
    {"sigtimedwait", in_sigtimedwait, LIMIT_MS}, {"wait4", in_wait4, LONG_MS},
    {"flock", in_flock, LONG_MS}, {"pause", in_pause, LONG_MS}, {"sigsuspend", in_sigsuspend, LONG_MS},
};
enum { WAITS = sizeof waits / sizeof *waits };

static void *waiting(void *argument)
{
    struct wait *wait = argument;
    long began = now_ms();
    wait->result = wait->in();
    wait->error = wait->result == -1 ? errno : 0;
    wait->took_ms = now_ms() - began;
    return NULL;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handles};
    sigaction(SIGUSR1, &action, NULL);
    for (int i = 0; i < WAITS; i++)
        if (pthread_create(&waits[i].thread, NULL, waiting, &waits[i]))
            fail("pthread_create");
    while (__atomic_load_n(&pausing, __ATOMIC_SEQ_CST) < 2)
        usleep(1000);
    usleep((LONG_MS + 100) * 1000);
    pthread_kill(paused, SIGUSR1);
    pthread_kill(suspended, SIGUSR1);
    for (int i = 0; i < WAITS; i++) {
        struct wait *wait = &waits[i];
        pthread_join(wait->thread, NULL);
        char text[128];
        snprintf(text, sizeof text, "%ld errno %ld%s%s", wait->result, wait->error,
                 wait->took_ms < wait->least_ms - 1 ? " early" : "", wait->took_ms > STARVED_MS ? " late" : "");
        say_text(wait->name, text);
    }
    say("handled", handled);
    return 0;
}
