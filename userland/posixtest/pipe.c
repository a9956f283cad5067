/*
 * Pipes: order, end of file, atomicity, blocking and not, EPIPE and SIGPIPE.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#define CAPACITY 65536

static char block[2 * CAPACITY];

static void simple(void)
{
    char buf[16];
    int p[2];

    OK(pipe(p));
    EQ(write(p[1], "hello", 5), 5);
    EQ(write(p[1], "you", 3), 3);
    EQ(read(p[0], buf, 3), 3);
    CHECK(memcmp(buf, "hel", 3) == 0);
    EQ(read(p[0], buf, sizeof buf), 5); /* what is there, across writes */
    CHECK(memcmp(buf, "loyou", 5) == 0);
    EQ(write(p[1], "", 0), 0);
    ERR(read(p[1], buf, 1), EBADF);
    ERR(write(p[0], buf, 1), EBADF);
}

static void end_of_file(void)
{
    char c;
    int p[2], other;

    OK(pipe(p));
    other = OK(dup(p[1]));
    EQ(write(p[1], "x", 1), 1);
    OK(close(p[1]));
    EQ(read(p[0], &c, 1), 1);
    OK(fcntl(p[0], F_SETFL, O_NONBLOCK));
    ERR(read(p[0], &c, 1), EAGAIN); /* there is still a writer */
    OK(close(other));
    EQ(read(p[0], &c, 1), 0);
    EQ(read(p[0], &c, 1), 0);
}

static void broken(void)
{
    int p[2];

    OK(pipe(p));
    OK(close(p[0]));
    handle(SIGPIPE, count_signal, 0, 0);
    ERR(write(p[1], "x", 1), EPIPE);
    EQ(caught, 1);
    handle(SIGPIPE, SIG_IGN, 0, 0);
    ERR(write(p[1], "x", 1), EPIPE);
    sig_block(SIGPIPE);
    handle(SIGPIPE, count_signal, 0, 0);
    ERR(write(p[1], "x", 1), EPIPE);
    EQ(caught, 1);
    sig_unblock(SIGPIPE);
    EQ(caught, 2);
}

static void broken_kills(void)
{
    int p[2];
    pid_t pid;

    OK(pipe(p));
    OK(close(p[0]));
    CHILD(pid)
    {
        EQ(write(p[1], "x", 1), -2); /* not reached */
    }
    wait_killed(pid, SIGPIPE);
}

static void capacity(void)
{
    int p[2];
    ssize_t total = 0, n;

    OK(pipe2(p, O_NONBLOCK));
    while ((n = write(p[1], block, 4096)) > 0) {
        total += n;
    }
    EQ(n, -1);
    EQ(errno, EAGAIN);
    EQ(total, CAPACITY);
    EQ(read(p[0], block, sizeof block), CAPACITY);
    ERR(read(p[0], block, 1), EAGAIN);
}

static void nonblocking_write(void)
{
    int p[2];

    OK(pipe2(p, O_NONBLOCK));
    EQ(write(p[1], block, sizeof block), CAPACITY); /* a part of a large write */
    EQ(read(p[0], block, PIPE_BUF), PIPE_BUF);
    EQ(write(p[1], block, PIPE_BUF), PIPE_BUF);
    ERR(write(p[1], block, PIPE_BUF), EAGAIN);
    ERR(write(p[1], block, 1), EAGAIN);
    ERR(write(p[1], block, sizeof block), EAGAIN);
}

/* A write of up to PIPE_BUF bytes goes in whole or not at all. */
static void atomic_when_tight(void)
{
    int p[2];

    OK(pipe2(p, O_NONBLOCK));
    for (int i = 0; i < 15; i++) {
        EQ(write(p[1], block, 4096), 4096);
    }
    EQ(write(p[1], block, 2000), 2000);
    ERR(write(p[1], block, 4096), EAGAIN); /* 2096 are free */
    int n = 0;
    OK(ioctl(p[0], FIONREAD, &n));
    EQ(n, 15 * 4096 + 2000);
    EQ(write(p[1], block, 2096), 2096);
}

static void atomic_writers(void)
{
    enum { WRITERS = 4, RECORDS = 200, SIZE = 1000 };
    static unsigned char record[SIZE];
    int p[2], count[WRITERS] = {0};
    pid_t pid[WRITERS];

    OK(pipe(p));
    for (int w = 0; w < WRITERS; w++) {
        CHILD(pid[w])
        {
            OK(close(p[0]));
            memset(record, w, SIZE);
            for (int i = 0; i < RECORDS; i++) {
                EQ(write(p[1], record, SIZE), SIZE);
            }
        }
    }
    OK(close(p[1]));
    for (;;) {
        size_t have = 0;
        ssize_t n;

        while (have < SIZE && (n = OK(read(p[0], record + have, SIZE - have))) > 0) {
            have += (size_t)n;
        }
        if (have == 0) {
            break;
        }
        EQ(have, SIZE);
        for (size_t i = 1; i < SIZE; i++) {
            EQ(record[i], record[0]);
        }
        count[record[0]]++;
    }
    for (int w = 0; w < WRITERS; w++) {
        EQ(count[w], RECORDS);
        wait_ok(pid[w]);
    }
}

static void blocked_reader(void)
{
    char c = 0;
    int p[2];
    pid_t pid;

    OK(pipe(p));
    CHILD(pid)
    {
        OK(close(p[1]));
        EQ(read(p[0], &c, 1), 1);
        EQ(c, 'x');
        EQ(read(p[0], &c, 1), 0);
    }
    wait_state(pid, 'S');
    EQ(write(p[1], "x", 1), 1);
    sleep_ms(10);
    OK(close(p[1]));
    wait_ok(pid);
}

static void blocked_writer(void)
{
    int p[2];
    pid_t pid;

    OK(pipe(p));
    CHILD(pid)
    {
        OK(close(p[0]));
        EQ(write(p[1], block, sizeof block), sizeof block); /* all of it, in the end */
        handle(SIGPIPE, SIG_IGN, 0, 0);
        EQ(write(p[1], block, CAPACITY + 1), CAPACITY); /* what went in before the reader left */
        ERR(write(p[1], block, 1), EPIPE);
    }
    OK(close(p[1]));
    wait_state(pid, 'S');
    for (size_t total = 0; total < sizeof block;) {
        total += (size_t)OK(read(p[0], block, total == 0 ? 1 : sizeof block - total));
    }
    wait_state(pid, 'S');
    OK(close(p[0]));
    wait_ok(pid);
}

static void interrupted(void)
{
    char c;
    int p[2];
    pid_t pid;

    OK(pipe(p));
    CHILD(pid)
    {
        handle(SIGUSR1, count_signal, 0, 0);
        ERR(read(p[0], &c, 1), EINTR);
        EQ(caught, 1);
        handle(SIGUSR1, count_signal, SA_RESTART, 0);
        EQ(read(p[0], &c, 1), 1);
        EQ(caught, 2);
    }
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    sleep_ms(50);
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    sleep_ms(50);
    wait_state(pid, 'S');
    EQ(write(p[1], "x", 1), 1);
    wait_ok(pid);
}

static void interrupted_writer(void)
{
    int p[2];
    pid_t pid;

    OK(pipe(p));
    CHILD(pid)
    {
        OK(close(p[0]));
        handle(SIGUSR1, count_signal, 0, 0);
        /* Part of it is in the pipe already, so the call says how much. */
        EQ(write(p[1], block, sizeof block), CAPACITY);
        EQ(caught, 1);
        ERR(write(p[1], block, 1), EINTR);
    }
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    sleep_ms(50);
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    wait_ok(pid);
}

static void about_itself(void)
{
    struct stat st;
    int p[2], n = -1;

    OK(pipe(p));
    OK(fstat(p[0], &st));
    CHECK(S_ISFIFO(st.st_mode));
    EQ(write(p[1], "12345", 5), 5);
    OK(ioctl(p[0], FIONREAD, &n));
    EQ(n, 5);
}

static void large_transfer(void)
{
    enum { TOTAL = 1 << 20 };
    unsigned long sum = 0, expected = 0;
    static unsigned char buf[5000];
    int p[2];
    pid_t pid;
    ssize_t n;

    OK(pipe(p));
    CHILD(pid)
    {
        OK(close(p[0]));
        for (size_t at = 0; at < TOTAL;) {
            size_t size = 1 + at % 7001 < TOTAL - at ? 1 + at % 7001 : TOTAL - at;

            for (size_t i = 0; i < size; i++) {
                block[i] = (char)((at + i) * 31 >> 3);
            }
            EQ(write(p[1], block, size), size);
            at += size;
        }
    }
    OK(close(p[1]));
    for (size_t at = 0; (n = OK(read(p[0], buf, sizeof buf))) > 0; at += (size_t)n) {
        for (ssize_t i = 0; i < n; i++) {
            EQ(buf[i], (unsigned char)((at + (size_t)i) * 31 >> 3));
            sum++;
        }
    }
    expected = TOTAL;
    EQ(sum, expected);
    wait_ok(pid);
}

const struct test pipe_tests[] = {
    {"simple", simple},
    {"end_of_file", end_of_file},
    {"broken", broken},
    {"broken_kills", broken_kills},
    {"capacity", capacity},
    {"nonblocking_write", nonblocking_write},
    {"atomic_when_tight", atomic_when_tight},
    {"atomic_writers", atomic_writers},
    {"blocked_reader", blocked_reader},
    {"blocked_writer", blocked_writer},
    {"interrupted", interrupted},
    {"interrupted_writer", interrupted_writer},
    {"about_itself", about_itself},
    {"large_transfer", large_transfer},
    {0},
};
