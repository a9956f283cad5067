/*
 * eventfd, timerfd, signalfd.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

static short ready(int fd, short events)
{
    struct pollfd p = {fd, events, 0};

    OK(poll(&p, 1, 0));
    return p.revents;
}

static void counter(void)
{
    uint64_t v = 0, big = UINT64_MAX;
    int fd = OK(eventfd(3, EFD_NONBLOCK));
    char buf[16] = {0};

    EQ(ready(fd, POLLIN | POLLOUT), POLLIN | POLLOUT);
    EQ(write(fd, "\5\0\0\0\0\0\0\0", 8), 8);
    EQ(read(fd, buf, 16), 8);
    EQ(buf[0], 8);
    EQ(ready(fd, POLLIN | POLLOUT), POLLOUT);
    ERR(read(fd, &v, 8), EAGAIN);
    ERR(read(fd, &v, 7), EINVAL);
    ERR(write(fd, &v, 7), EINVAL);
    ERR(write(fd, &big, 8), EINVAL);
    big--;
    EQ(write(fd, &big, 8), 8);
    EQ(ready(fd, POLLIN | POLLOUT), POLLIN);
    v = 1;
    ERR(write(fd, &v, 8), EAGAIN);
    EQ(read(fd, &v, 8), 8);
    CHECK(v == big);
    ERR(pread(fd, &v, 8, 0), ESPIPE);
    ERR(syscall(SYS_eventfd2, 0, 2), EINVAL);
}

static void semaphore(void)
{
    uint64_t v;
    int fd = OK(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC));

    for (int i = 0; i < 2; i++) {
        EQ(read(fd, &v, 8), 8);
        EQ(v, 1);
    }
    ERR(read(fd, &v, 8), EAGAIN);
}

static void counter_blocks(void)
{
    uint64_t v, almost = UINT64_MAX - 1;
    int fd = OK(eventfd(0, 0));
    pid_t pid;

    CHILD(pid)
    {
        EQ(read(fd, &v, 8), 8);
        EQ(v, 5);
    }
    wait_state(pid, 'S');
    v = 5;
    EQ(write(fd, &v, 8), 8);
    wait_ok(pid);
    EQ(write(fd, &almost, 8), 8);
    CHILD(pid)
    {
        EQ(write(fd, &v, 8), 8);
    }
    wait_state(pid, 'S');
    EQ(read(fd, &v, 8), 8);
    wait_ok(pid);
    EQ(read(fd, &v, 8), 8);
    EQ(v, 5);
}

/* ---- timers ---- */

static void timer_once(void)
{
    struct itimerspec its = {.it_value = {0, 20000000}}, now;
    uint64_t n;
    int64_t start = now_ms();
    int fd = OK(timerfd_create(CLOCK_MONOTONIC, 0));

    EQ(ready(fd, POLLIN), 0);
    OK(timerfd_settime(fd, 0, &its, NULL));
    EQ(read(fd, &n, 8), 8);
    EQ(n, 1);
    CHECK(now_ms() - start >= 20);
    OK(timerfd_gettime(fd, &now));
    CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
    its.it_value.tv_sec = 100;
    OK(timerfd_settime(fd, 0, &its, &now));
    CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0);
    OK(timerfd_gettime(fd, &now));
    CHECK(now.it_value.tv_sec >= 90 && now.it_value.tv_sec <= 100);
    memset(&its, 0, sizeof its);
    OK(timerfd_settime(fd, 0, &its, &now));
    CHECK(now.it_value.tv_sec >= 90);
    OK(timerfd_gettime(fd, &now));
    EQ(now.it_value.tv_sec, 0);
    ERR(read(fd, &n, 7), EINVAL);
}

static void timer_interval(void)
{
    struct itimerspec its = {{0, 1000000}, {0, 1000000}}, now;
    struct epoll_event e;
    uint64_t n, sum = 0;
    int fd = OK(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK)), ep = OK(epoll_create1(0));

    e.events = EPOLLIN;
    OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
    OK(timerfd_settime(fd, 0, &its, NULL));
    while (sum < 20) {
        EQ(epoll_wait(ep, &e, 1, 10000), 1);
        EQ(read(fd, &n, 8), 8);
        sum += n;
    }
    sleep_ms(20);
    EQ(read(fd, &n, 8), 8);
    CHECK(n >= 19);
    OK(timerfd_gettime(fd, &now));
    EQ(now.it_interval.tv_nsec, 1000000);
    CHECK(now.it_value.tv_sec == 0 && now.it_value.tv_nsec <= 1000000);
    its.it_interval.tv_nsec = 1; /* so short that nobody could follow */
    OK(timerfd_settime(fd, 0, &its, NULL));
    sleep_ms(20);
    EQ(read(fd, &n, 8), 8);
    CHECK(n > 1000000);
}

static void timer_absolute(void)
{
    static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};
    struct itimerspec its = {{0, 0}, {1, 0}};
    uint64_t n;

    for (int i = 0; i < 3; i++) {
        int fd = OK(timerfd_create(clocks[i], 0));

        its.it_value.tv_sec = 0;
        its.it_value.tv_nsec = 1; /* long ago */
        OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
        EQ(read(fd, &n, 8), 8);
        EQ(n, 1);
        OK(clock_gettime(clocks[i], &its.it_value));
        its.it_value.tv_sec += 1000;
        OK(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL));
        EQ(ready(fd, POLLIN), 0);
        OK(close(fd));
    }
}

static void timer_clock_set(void)
{
    struct itimerspec its = {{0, 0}, {0, 0}};
    struct timespec now;
    uint64_t n;
    int fd = OK(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));

    if (geteuid() != 0) {
        SKIP("needs root");
    }
    OK(clock_gettime(CLOCK_REALTIME, &now));
    its.it_value.tv_sec = now.tv_sec + 10000;
    OK(timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &its, NULL));
    ERR(read(fd, &n, 8), EAGAIN);
    OK(clock_gettime(CLOCK_REALTIME, &now));
    OK(clock_settime(CLOCK_REALTIME, &now));
    EQ(ready(fd, POLLIN), POLLIN);
    ERR(read(fd, &n, 8), ECANCELED);
    OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &its, NULL));
    now.tv_sec += 20000;
    OK(clock_settime(CLOCK_REALTIME, &now)); /* now it is past */
    for (int i = 0; i < 1000 && ready(fd, POLLIN) == 0; i++) {
        sleep_ms(1);
    }
    n = 0;
    long got = read(fd, &n, 8);
    now.tv_sec -= 20000;
    OK(clock_settime(CLOCK_REALTIME, &now));
    EQ(got, 8);
    EQ(n, 1);
}

static void timer_arguments(void)
{
    struct itimerspec its = {{0, 0}, {0, 1000000000}};
    int fd = OK(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)), p[2];

    ERR(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
    ERR(timerfd_create(CLOCK_MONOTONIC_RAW, 0), EINVAL);
    ERR(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
    ERR(timerfd_settime(fd, 0, &its, NULL), EINVAL);
    its.it_value = (struct timespec){-1, 0};
    ERR(timerfd_settime(fd, 0, &its, NULL), EINVAL);
    its.it_value = (struct timespec){1, 0};
    ERR(timerfd_settime(fd, 8, &its, NULL), EINVAL);
    ERR(timerfd_settime(199, 0, &its, NULL), EBADF);
    OK(pipe(p));
    ERR(timerfd_settime(p[0], 0, &its, NULL), EINVAL);
    ERR(timerfd_gettime(p[0], &its), EINVAL);
    ERR(timerfd_gettime(199, &its), EBADF);
    ERR(syscall(SYS_timerfd_settime, fd, 0, NULL, NULL), EFAULT);
    ERR(syscall(SYS_timerfd_gettime, fd, 16), EFAULT);
    ERR(write(fd, &its, 8), EINVAL);
}

/* ---- signals ---- */

static int signal_fd(int fd, uint64_t mask, int flags)
{
    return (int)syscall(SYS_signalfd4, fd, &mask, 8, flags);
}

static void signals(void)
{
    struct signalfd_siginfo s[3];
    union sigval v = {.sival_int = 4711};
    int fd;
    pid_t pid;

    sig_block(SIGUSR1);
    sig_block(SIGUSR2);
    sig_block(SIGCHLD);
    sig_block(SIGRTMIN);
    fd = OK(signal_fd(-1, SIGBIT(SIGUSR1) | SIGBIT(SIGRTMIN) | SIGBIT(SIGCHLD), SFD_NONBLOCK));
    EQ(ready(fd, POLLIN), 0);
    ERR(read(fd, s, sizeof s), EAGAIN);
    ERR(read(fd, s, sizeof s[0] - 1), EINVAL);
    OK(kill(getpid(), SIGUSR2)); /* none of ours */
    EQ(ready(fd, POLLIN), 0);
    OK(kill(getpid(), SIGUSR1));
    OK(sigqueue(getpid(), SIGRTMIN, v));
    EQ(ready(fd, POLLIN), POLLIN);
    EQ(read(fd, s, sizeof s), 2 * sizeof s[0]);
    EQ(s[0].ssi_signo, SIGUSR1);
    EQ(s[0].ssi_code, SI_USER);
    EQ(s[0].ssi_pid, getpid());
    EQ(s[1].ssi_signo, SIGRTMIN);
    EQ(s[1].ssi_code, SI_QUEUE);
    EQ(s[1].ssi_int, 4711);
    CHILD(pid)
    {
        _exit(7);
    }
    wait_state(pid, 'Z');
    EQ(read(fd, s, sizeof s), sizeof s[0]);
    EQ(s[0].ssi_signo, SIGCHLD);
    EQ(s[0].ssi_code, CLD_EXITED);
    EQ(s[0].ssi_pid, pid);
    EQ(s[0].ssi_status, 7);
    EQ(signal_fd(fd, SIGBIT(SIGUSR2), 0), fd);
    EQ(read(fd, s, sizeof s), sizeof s[0]);
    EQ(s[0].ssi_signo, SIGUSR2);
    ERR(signal_fd(199, 1, 0), EBADF);
    ERR(signal_fd(0, 1, 1), EINVAL);
    ERR(syscall(SYS_signalfd4, -1, s, 4, 0), EINVAL);
    ERR(syscall(SYS_signalfd4, -1, NULL, 8, 0), EFAULT);
}

static void signals_block(void)
{
    struct signalfd_siginfo s;
    struct epoll_event e = {.events = EPOLLIN};
    int fd, ep = OK(epoll_create1(0));
    pid_t pid;

    sig_block(SIGUSR1);
    fd = OK(signal_fd(-1, SIGBIT(SIGUSR1) | SIGBIT(SIGKILL), SFD_CLOEXEC));
    CHILD(pid)
    {
        EQ(read(fd, &s, sizeof s), sizeof s);
        EQ(s.ssi_signo, SIGUSR1);
        OK(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
        EQ(epoll_wait(ep, &e, 1, -1), 1);
        EQ(read(fd, &s, sizeof s), sizeof s);
    } /* and the instance is left watching who is gone */
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    do {
        sleep_ms(5);
    } while (kill(pid, SIGUSR1) == 0 && waitpid(pid, NULL, WNOHANG) == 0);
    EQ(epoll_wait(ep, &e, 1, 0), 0);
    OK(close(fd));
    EQ(epoll_wait(ep, &e, 1, 0), 0);
}

const struct test event_tests[] = {
    {"counter", counter},
    {"semaphore", semaphore},
    {"counter_blocks", counter_blocks},
    {"timer_once", timer_once},
    {"timer_interval", timer_interval},
    {"timer_absolute", timer_absolute},
    {"timer_clock_set", timer_clock_set},
    {"timer_arguments", timer_arguments},
    {"signals", signals},
    {"signals_block", signals_block},
    {0},
};
