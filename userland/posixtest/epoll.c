/*
 * epoll: level and edge, one shot, exclusive, nesting, closing, several who wait.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

static int ctl(int ep, int op, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event e = {.events = events, .data.u64 = data};

    return epoll_ctl(ep, op, fd, &e);
}

/* One event, or none: its data; -1. */
static long next(int ep, int timeout, uint32_t *events)
{
    struct epoll_event e;
    int n = OK(epoll_wait(ep, &e, 1, timeout));

    if (events) {
        *events = n ? e.events : 0;
    }
    return n ? (long)e.data.u64 : -1;
}

static void arguments(void)
{
    struct epoll_event e;
    int p[2], ep = OK(epoll_create1(EPOLL_CLOEXEC)), f, dir;

    EQ(fcntl(ep, F_GETFD), FD_CLOEXEC);
    ERR(epoll_create1(1), EINVAL);
    OK(pipe(p));
    write_file("f", "x");
    f = OK(open("f", O_RDWR));
    dir = OK(open(".", O_RDONLY));
    ERR(ctl(ep, EPOLL_CTL_ADD, f, EPOLLIN, 0), EPERM);
    ERR(ctl(ep, EPOLL_CTL_ADD, dir, EPOLLIN, 0), EPERM);
    ERR(ctl(ep, EPOLL_CTL_ADD, OK(open("/dev/null", O_RDWR)), EPOLLIN, 0), EPERM);
    ERR(ctl(ep, EPOLL_CTL_ADD, 199, EPOLLIN, 0), EBADF);
    ERR(ctl(199, EPOLL_CTL_ADD, p[0], EPOLLIN, 0), EBADF);
    ERR(ctl(p[0], EPOLL_CTL_ADD, p[1], EPOLLIN, 0), EINVAL);
    ERR(ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 0), EINVAL);
    ERR(ctl(ep, 77, p[0], EPOLLIN, 0), EINVAL);
    ERR(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 0), ENOENT);
    ERR(ctl(ep, EPOLL_CTL_DEL, p[0], EPOLLIN, 0), ENOENT);
    OK(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0));
    ERR(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0), EEXIST);
    ERR(syscall(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, p[1], NULL), EFAULT);
    OK(syscall(SYS_epoll_ctl, ep, EPOLL_CTL_DEL, p[0], NULL));
    ERR(epoll_wait(ep, &e, 0, 0), EINVAL);
    ERR(epoll_wait(ep, &e, -1, 0), EINVAL);
    ERR(epoll_wait(p[0], &e, 1, 0), EINVAL);
    ERR(epoll_wait(199, &e, 1, 0), EBADF);
    ERR(read(ep, &e, 8), EINVAL);
}

static void level(void)
{
    int p[2], ep = OK(epoll_create1(0));
    uint32_t events;
    char c;

    OK(pipe(p));
    OK(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 7));
    OK(ctl(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT, 8));
    EQ(next(ep, 0, &events), 8);
    EQ(events, EPOLLOUT);
    OK(ctl(ep, EPOLL_CTL_DEL, p[1], 0, 0));
    EQ(next(ep, 0, NULL), -1);
    EQ(write(p[1], "xy", 2), 2);
    for (int i = 0; i < 3; i++) {
        EQ(next(ep, -1, &events), 7);
        EQ(events, EPOLLIN);
    }
    EQ(read(p[0], &c, 1), 1);
    EQ(next(ep, -1, NULL), 7);
    EQ(read(p[0], &c, 1), 1);
    EQ(next(ep, 0, NULL), -1);
    OK(close(p[1]));
    EQ(next(ep, -1, &events), 7);
    EQ(events, EPOLLHUP);
}

static void edge(void)
{
    int p[2], ep = OK(epoll_create1(0));
    char c[8];

    OK(pipe2(p, O_NONBLOCK));
    OK(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET, 7));
    EQ(write(p[1], "xy", 2), 2);
    EQ(next(ep, -1, NULL), 7);
    EQ(next(ep, 0, NULL), -1);
    EQ(read(p[0], c, 1), 1);
    EQ(next(ep, 0, NULL), -1); /* what is left is no news */
    EQ(write(p[1], "z", 1), 1);
    EQ(next(ep, -1, NULL), 7);
    EQ(next(ep, 0, NULL), -1);
    OK(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 9)); /* looks anew */
    EQ(next(ep, -1, NULL), 9);
    EQ(next(ep, 0, NULL), -1);
}

static void one_shot(void)
{
    int p[2], ep = OK(epoll_create1(0));

    OK(pipe(p));
    OK(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLONESHOT, 7));
    EQ(write(p[1], "x", 1), 1);
    EQ(next(ep, -1, NULL), 7);
    EQ(write(p[1], "x", 1), 1);
    EQ(next(ep, 0, NULL), -1);
    OK(close(p[1]));
    EQ(next(ep, 0, NULL), -1); /* not even that */
    OK(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 8));
    EQ(next(ep, -1, NULL), 8);
    EQ(next(ep, 0, NULL), -1);
}

static void closing(void)
{
    int p[2], ep = OK(epoll_create1(0)), copy;

    OK(pipe(p));
    EQ(write(p[1], "x", 1), 1);
    OK(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 7));
    copy = OK(dup(p[0]));
    OK(close(p[0]));
    EQ(next(ep, 0, NULL), 7); /* the file is open still */
    ERR(ctl(ep, EPOLL_CTL_DEL, p[0], 0, 0), EBADF);
    ERR(ctl(ep, EPOLL_CTL_DEL, copy, 0, 0), ENOENT);
    OK(ctl(ep, EPOLL_CTL_ADD, copy, EPOLLIN, 8));
    struct epoll_event e[4];
    EQ(epoll_wait(ep, e, 4, 0), 2);
    OK(close(copy));
    EQ(next(ep, 0, NULL), -1);
}

static void nesting(void)
{
    int p[2], in = OK(epoll_create1(0)), out = OK(epoll_create1(0)), last;
    struct pollfd pfd = {.fd = out, .events = POLLIN};
    char c;

    OK(pipe(p));
    OK(ctl(in, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
    OK(ctl(out, EPOLL_CTL_ADD, in, EPOLLIN | EPOLLET, 2));
    ERR(ctl(in, EPOLL_CTL_ADD, out, EPOLLIN, 3), ELOOP);
    EQ(poll(&pfd, 1, 0), 0);
    EQ(write(p[1], "x", 1), 1);
    EQ(poll(&pfd, 1, -1), 1);
    EQ(next(out, -1, NULL), 2);
    EQ(next(out, 0, NULL), -1);
    EQ(next(in, -1, NULL), 1);
    EQ(read(p[0], &c, 1), 1);
    EQ(next(in, 0, NULL), -1);
    EQ(write(p[1], "x", 1), 1);
    EQ(next(out, -1, NULL), 2);
    last = in;
    errno = 0;
    for (int i = 0; i < 10 && errno == 0; i++) {
        int ep = OK(epoll_create1(0));
        ctl(ep, EPOLL_CTL_ADD, last, EPOLLIN, 0);
        last = ep;
    }
    EQ(errno, ELOOP); /* too deep */
}

static void *wait_thread(void *arg)
{
    struct epoll_event e;
    int n = epoll_wait(*(int *)arg, &e, 1, 20000);

    return (void *)(long)n;
}

static void several_wait(void)
{
    enum { N = 4 };
    pthread_t t[N];
    void *got;
    int p[2], ep = OK(epoll_create1(0)), one = OK(eventfd(0, EFD_NONBLOCK));
    uint64_t v;

    OK(pipe(p));
    OK(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
    for (int i = 0; i < N; i++) {
        EQ(pthread_create(&t[i], NULL, wait_thread, &ep), 0);
    }
    sleep_ms(50);
    EQ(write(p[1], "x", 1), 1); /* stays ready: all of them see it */
    for (int i = 0; i < N; i++) {
        EQ(pthread_join(t[i], &got), 0);
        EQ((long)got, 1);
    }
    OK(ctl(ep, EPOLL_CTL_DEL, p[0], 0, 0));
    OK(ctl(ep, EPOLL_CTL_ADD, one, EPOLLIN | EPOLLET, 1));
    for (int i = 0; i < N; i++) {
        EQ(pthread_create(&t[i], NULL, wait_thread, &ep), 0);
    }
    for (int i = 0; i < N; i++) { /* each edge lets one go */
        sleep_ms(20);
        EQ(eventfd_write(one, 1), 0);
    }
    for (int i = 0; i < N; i++) {
        EQ(pthread_join(t[i], &got), 0);
        EQ((long)got, 1);
    }
    EQ(eventfd_read(one, &v), 0);
    EQ(v, N);
}

static void exclusive(void)
{
    int p[2], ep = OK(epoll_create1(0)), other = OK(epoll_create1(0));

    OK(pipe(p));
    OK(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE, 7));
    ERR(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 7), EINVAL);
    ERR(ctl(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT | EPOLLONESHOT | EPOLLEXCLUSIVE, 7), EINVAL);
    ERR(ctl(ep, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLEXCLUSIVE, 7), EINVAL);
    OK(ctl(other, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE, 8));
    EQ(write(p[1], "x", 1), 1);
    EQ(next(ep, -1, NULL) + next(other, -1, NULL), 15);
}

static void interrupted(void)
{
    struct epoll_event e;
    struct timespec t = {10, 0}, zero = {0, 0}, bad = {0, 1000000000};
    uint64_t none = 0;
    int ep = OK(epoll_create1(0));
    pid_t pid;

    CHILD(pid)
    {
        handle(SIGUSR1, count_signal, SA_RESTART, 0);
        ERR(epoll_wait(ep, &e, 1, -1), EINTR);
        EQ(caught, 1);
        sig_block(SIGUSR1);
        OK(kill(getpid(), SIGUSR1));
        ERR(syscall(SYS_epoll_pwait2, ep, &e, 1, &t, &none, 8), EINTR);
        EQ(caught, 2);
        CHECK(sig_mask() & SIGBIT(SIGUSR1));
    }
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    wait_ok(pid);
    EQ(syscall(SYS_epoll_pwait2, ep, &e, 1, &zero, NULL, 8), 0);
    ERR(syscall(SYS_epoll_pwait2, ep, &e, 1, &bad, NULL, 8), EINVAL);
    ERR(syscall(SYS_epoll_pwait, ep, &e, 1, 0, &none, 4), EINVAL);
    int64_t start = now_ms();
    EQ(epoll_wait(ep, &e, 1, 30), 0);
    CHECK(now_ms() - start >= 30);
}

/* Both sides of a fork see the same instance; what the child closes stays open in the parent. */
static void forked(void)
{
    int p[2], ep = OK(epoll_create1(0));
    pid_t pid;

    OK(pipe(p));
    OK(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 7));
    CHILD(pid)
    {
        EQ(next(ep, 20000, NULL), 7);
        OK(close(p[0]));
        EQ(next(ep, 0, NULL), 7);
    }
    wait_state(pid, 'S');
    EQ(write(p[1], "x", 1), 1);
    wait_ok(pid);
    EQ(next(ep, 0, NULL), 7);
}

static void many(void)
{
    enum { N = 60 };
    struct epoll_event e[N];
    int fd[N], seen[N] = {0}, ep = OK(epoll_create1(0));

    for (int i = 0; i < N; i++) {
        fd[i] = OK(eventfd(1, 0));
        OK(ctl(ep, EPOLL_CTL_ADD, fd[i], EPOLLIN, (uint64_t)i));
    }
    for (int i = 0; i < N / 10; i++) { /* all get their turn */
        EQ(epoll_wait(ep, e, 10, 0), 10);
        for (int k = 0; k < 10; k++) {
            seen[e[k].data.u64]++;
        }
    }
    for (int i = 0; i < N; i++) {
        EQ(seen[i], 1);
    }
    EQ(epoll_wait(ep, e, N, 0), N);
}

const struct test epoll_tests[] = {
    {"arguments", arguments},
    {"level", level},
    {"edge", edge},
    {"one_shot", one_shot},
    {"closing", closing},
    {"nesting", nesting},
    {"several_wait", several_wait},
    {"exclusive", exclusive},
    {"interrupted", interrupted},
    {"forked", forked},
    {"many", many},
    {0},
};
