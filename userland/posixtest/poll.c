/*
 * poll, ppoll, select and pselect.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

static int poll_one(int fd, short events, int timeout, short *revents)
{
    struct pollfd p = {fd, events, -1};
    int n = poll(&p, 1, timeout);

    *revents = p.revents;
    return n;
}

static void pipe_events(void)
{
    short r;
    int p[2];
    char c;

    OK(pipe(p));
    EQ(poll_one(p[0], POLLIN, 0, &r), 0);
    EQ(r, 0);
    EQ(poll_one(p[1], POLLOUT, 0, &r), 1);
    EQ(r, POLLOUT);
    EQ(write(p[1], "x", 1), 1);
    EQ(poll_one(p[0], POLLIN | POLLOUT, 0, &r), 1);
    EQ(r, POLLIN);
    EQ(poll_one(p[0], POLLIN | POLLRDNORM, 0, &r), 1);
    EQ(r, POLLIN | POLLRDNORM);
    OK(close(p[1]));
    EQ(poll_one(p[0], POLLIN, 0, &r), 1);
    EQ(r, POLLIN | POLLHUP);
    EQ(read(p[0], &c, 1), 1);
    EQ(poll_one(p[0], POLLIN, 0, &r), 1);
    EQ(r, POLLHUP);
    EQ(poll_one(p[0], 0, 0, &r), 1); /* not asked for, told all the same */
    EQ(r, POLLHUP);
    OK(pipe(p));
    OK(close(p[0]));
    EQ(poll_one(p[1], POLLOUT, 0, &r), 1);
    EQ(r, POLLOUT | POLLERR);
}

static void full_pipe(void)
{
    static char block[65536];
    short r;
    int p[2];

    OK(pipe2(p, O_NONBLOCK));
    EQ(write(p[1], block, sizeof block), sizeof block);
    EQ(poll_one(p[1], POLLOUT, 0, &r), 0);
    EQ(read(p[0], block, 8192), 8192);
    EQ(poll_one(p[1], POLLOUT, 0, &r), 1);
}

static void odd_descriptors(void)
{
    struct pollfd p[3] = {{-1, POLLIN, 77}, {199, POLLIN, 0}, {-5, POLLIN, 1}};
    short r;
    int fd;

    EQ(poll(p, 3, 1000), 1);
    EQ(p[0].revents, 0);
    EQ(p[1].revents, POLLNVAL);
    EQ(p[2].revents, 0);
    write_file("f", "");
    fd = OK(open("f", O_RDWR));
    EQ(poll_one(fd, POLLIN | POLLOUT, 0, &r), 1); /* files are always ready */
    EQ(r, POLLIN | POLLOUT);
    fd = OK(open("/dev/null", O_RDWR));
    EQ(poll_one(fd, POLLIN | POLLOUT, 0, &r), 1);
    EQ(r, POLLIN | POLLOUT);
}

static void timeouts(void)
{
    int64_t start = now_ms();
    short r;
    int p[2];

    OK(pipe(p));
    EQ(poll_one(p[0], POLLIN, 60, &r), 0);
    CHECK(now_ms() - start >= 60);
    start = now_ms();
    EQ(poll(NULL, 0, 40), 0);
    CHECK(now_ms() - start >= 40);
    start = now_ms();
    EQ(poll_one(p[0], POLLIN, 0, &r), 0);
    CHECK(now_ms() - start < 30);
}

static void wakes_up(void)
{
    short r;
    int p[2];
    pid_t pid;

    OK(pipe(p));
    CHILD(pid)
    {
        sleep_ms(50);
        EQ(write(p[1], "x", 1), 1);
    }
    EQ(poll_one(p[0], POLLIN, 10000, &r), 1);
    EQ(r, POLLIN);
    wait_ok(pid);
    EQ(read(p[0], &r, 1), 1);
    CHILD(pid)
    {
        OK(close(p[1]));
        EQ(poll_one(p[0], POLLIN, -1, &r), 1);
        EQ(r, POLLHUP);
    }
    wait_state(pid, 'S');
    OK(close(p[1]));
    wait_ok(pid);
}

static void several_wait(void)
{
    short r;
    int p[2];
    pid_t pid[5];

    OK(pipe(p));
    for (int i = 0; i < 5; i++) {
        CHILD(pid[i])
        {
            EQ(poll_one(p[0], POLLIN, 10000, &r), 1);
        }
    }
    for (int i = 0; i < 5; i++) {
        wait_state(pid[i], 'S');
    }
    EQ(write(p[1], "x", 1), 1); /* all of them see it */
    for (int i = 0; i < 5; i++) {
        wait_ok(pid[i]);
    }
}

static void interrupted(void)
{
    struct timespec t = {10, 0};
    uint64_t none = 0;
    pid_t pid;

    CHILD(pid)
    {
        handle(SIGUSR1, count_signal, SA_RESTART, 0); /* poll is not restarted even so */
        ERR(poll(NULL, 0, 10000), EINTR);
        EQ(caught, 1);
        sig_block(SIGUSR1);
        OK(kill(getpid(), SIGUSR1));
        EQ(caught, 1);
        ERR(syscall(SYS_ppoll, NULL, 0, &t, &none, 8), EINTR); /* its mask lets the signal in */
        EQ(caught, 2);
        CHECK(sig_mask() & SIGBIT(SIGUSR1)); /* and is gone again */
    }
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    wait_ok(pid);
}

static void bad_arguments(void)
{
    struct timespec t = {0, 1000000000};
    struct pollfd p = {0, POLLIN, 0};
    uint64_t mask = 0;
    struct rlimit limit;

    ERR(syscall(SYS_ppoll, &p, 1, &t, NULL, 8), EINVAL);
    t = (struct timespec){-1, 0};
    ERR(syscall(SYS_ppoll, &p, 1, &t, NULL, 8), EINVAL);
    ERR(syscall(SYS_ppoll, &p, 0, NULL, &mask, 4), EINVAL);
    OK(getrlimit(RLIMIT_NOFILE, &limit));
    ERR(syscall(SYS_ppoll, &p, limit.rlim_cur + 1, NULL, NULL, 8), EINVAL);
}

static void many(void)
{
    enum { N = 100 };
    struct pollfd p[N];
    int pair[2];

    OK(pipe(pair));
    for (int i = 0; i < N; i++) {
        p[i] = (struct pollfd){OK(dup(pair[0])), POLLIN, 0};
    }
    EQ(poll(p, N, 0), 0);
    EQ(write(pair[1], "x", 1), 1);
    EQ(poll(p, N, -1), N);
    EQ(p[N - 1].revents, POLLIN);
}

static void select_sets(void)
{
    fd_set r, w, e;
    struct timeval tv = {0, 0};
    int a[2], b[2], top;

    OK(pipe(a));
    OK(pipe(b));
    top = b[1] + 1;
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_ZERO(&e);
    FD_SET(a[0], &r);
    FD_SET(b[0], &r);
    FD_SET(a[1], &w);
    FD_SET(b[0], &e);
    EQ(write(b[1], "x", 1), 1);
    EQ(select(top, &r, &w, &e, &tv), 2);
    CHECK(!FD_ISSET(a[0], &r) && FD_ISSET(b[0], &r) && FD_ISSET(a[1], &w) && !FD_ISSET(b[0], &e));
    FD_ZERO(&r);
    FD_SET(a[0], &r);
    EQ(select(top, &r, NULL, NULL, &tv), 0);
    CHECK(!FD_ISSET(a[0], &r));
    OK(close(a[1]));
    FD_SET(a[0], &r);
    EQ(select(top, &r, NULL, NULL, NULL), 1); /* end of file can be read */
    FD_ZERO(&r);
    FD_SET(199, &r);
    ERR(select(200, &r, NULL, NULL, &tv), EBADF);
    ERR(select(-1, NULL, NULL, NULL, &tv), EINVAL);
    tv = (struct timeval){0, 40000};
    int64_t start = now_ms();
    EQ(select(0, NULL, NULL, NULL, &tv), 0);
    CHECK(now_ms() - start >= 40);
}

static void pselect_mask(void)
{
    struct timespec t = {10, 0};
    struct {
        uint64_t *mask;
        size_t size;
    } arg;
    uint64_t none = 0;

    handle(SIGUSR1, count_signal, 0, 0);
    sig_block(SIGUSR1);
    OK(kill(getpid(), SIGUSR1));
    arg.mask = &none;
    arg.size = 8;
    ERR(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &t, &arg), EINTR);
    EQ(caught, 1);
    CHECK(sig_mask() & SIGBIT(SIGUSR1));
}

const struct test poll_tests[] = {
    {"pipe_events", pipe_events},
    {"full_pipe", full_pipe},
    {"odd_descriptors", odd_descriptors},
    {"timeouts", timeouts},
    {"wakes_up", wakes_up},
    {"several_wait", several_wait},
    {"interrupted", interrupted},
    {"bad_arguments", bad_arguments},
    {"many", many},
    {"select", select_sets},
    {"pselect_mask", pselect_mask},
    {0},
};
