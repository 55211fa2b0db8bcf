// Waits by epoll, poll and select for eventfd, timerfd, signalfd, inotify and pipes.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include "must.h"

static int epoll, waits;

static void watch(int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    MUST(fd >= 0 && !epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

// Exactly this descriptor becomes readable.
static void comes(int fd)
{
    struct epoll_event events[8];
    int count = epoll_wait(epoll, events, 8, 5000);
    waits++;
    MUST(count == 1 && events[0].data.fd == fd && events[0].events == EPOLLIN);
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    MUST(poll(&polled, 1, 5000) == 1 && polled.revents == POLLIN);
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    struct timeval time = {5, 0};
    MUST(select(fd + 1, &set, NULL, NULL, &time) == 1 && FD_ISSET(fd, &set));
}

int main(void)
{
    epoll = epoll_create1(EPOLL_CLOEXEC);
    int event = eventfd(0, EFD_NONBLOCK), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    MUST(!sigprocmask(SIG_BLOCK, &set, NULL));
    int signals = signalfd(-1, &set, SFD_NONBLOCK), files = inotify_init1(IN_NONBLOCK), ends[2];
    MUST(!pipe(ends));
    printf("descriptors %d %d %d %d %d %d %d\n", epoll, event, timer, signals, files, ends[0], ends[1]);
    MUST(inotify_add_watch(files, ".", IN_CREATE) == 1);
    watch(event);
    watch(timer);
    watch(signals);
    watch(files);
    watch(ends[0]);
    struct epoll_event none;
    MUST(epoll_wait(epoll, &none, 1, 0) == 0);
    waits++;
    for (int i = 0; i < 10; i++) {
        uint64_t number = 5;
        MUST(write(event, &number, 8) == 8);
        comes(event);
        MUST(read(event, &number, 8) == 8 && number == 5);
        struct itimerspec soon = {.it_value = {0, 100000}};
        MUST(!timerfd_settime(timer, 0, &soon, NULL));
        comes(timer);
        MUST(read(timer, &number, 8) == 8 && number == 1);
        MUST(!kill(getpid(), SIGUSR1));
        comes(signals);
        struct signalfd_siginfo info;
        MUST(read(signals, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR1);
        MUST(info.ssi_pid == (uint32_t)getpid());
        int file = open("watched", O_CREAT | O_WRONLY, 0600);
        MUST(file == 10 && !close(file) && !unlink("watched"));
        comes(files);
        char text[512];
        MUST(read(files, text, sizeof text) > 0 && !strcmp(((struct inotify_event *)text)->name, "watched"));
        MUST(write(ends[1], "x", 1) == 1);
        comes(ends[0]);
        MUST(read(ends[0], text, sizeof text) == 1);
    }
    printf("call.epoll_create1=1\ncall.eventfd=1\ncall.timerfd_create=1\ncall.signalfd=1\ncall.inotify_init1=1\n"
           "call.pipe=1\ncall.epoll_wait=%d\ncall.poll=50\ncall.select=50\ncall.open=10\n", waits);
    return 0;
}
