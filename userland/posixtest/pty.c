/*
 * Pseudo terminals: making them, both directions, packet mode, hang-ups, controlling terminals.
 */
#define _GNU_SOURCE
#include <asm/termbits.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

#ifndef TCGETS2
#define TCGETS2 _IOR('T', 0x2a, struct termios2)
#define TCSETS2 _IOW('T', 0x2b, struct termios2)
#endif

static int master, slave;

static void slave_name(char *name, size_t n)
{
    int number;

    OK(ioctl(master, TIOCGPTN, &number));
    snprintf(name, n, "/dev/pts/%d", number);
}

static int open_slave(int flags)
{
    char name[32];

    slave_name(name, sizeof name);
    return open(name, flags);
}

static void open_pair(void)
{
    int unlock = 0;

    master = OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));
    OK(ioctl(master, TIOCSPTLCK, &unlock));
    slave = OK(open_slave(O_RDWR | O_NOCTTY));
}

static void settings(void (*change)(struct termios *t))
{
    struct termios t;

    OK(ioctl(slave, TCGETS, &t));
    change(&t);
    OK(ioctl(slave, TCSETS, &t));
}

static void make_raw(struct termios *t)
{
    t->c_iflag = 0;
    t->c_oflag = 0;
    t->c_lflag = 0;
    t->c_cc[VMIN] = 1;
    t->c_cc[VTIME] = 0;
}

static void put(int fd, const char *text)
{
    EQ(write(fd, text, strlen(text)), strlen(text));
}

static void expect(int fd, const char *text)
{
    char buf[256];
    size_t got = 0, want = strlen(text);

    while (got < want) {
        ssize_t n = OK(read(fd, buf + got, want - got));

        CHECK(n > 0);
        got += (size_t)n;
    }
    buf[got] = 0;
    if (strcmp(buf, text) != 0) {
        FAIL("read \"%s\", not \"%s\"", buf, text);
    }
}

static int events(int fd, int wanted)
{
    struct pollfd p = {.fd = fd, .events = (short)wanted};

    OK(poll(&p, 1, 0));
    return p.revents;
}

/* Some systems carry what is written to the other side in the background. */
static void wait_for(int fd, int count)
{
    int n = 0;

    while (n < count) {
        struct pollfd p = {.fd = fd, .events = POLLIN};

        OK(poll(&p, 1, -1));
        OK(ioctl(fd, FIONREAD, &n));
    }
    EQ(n, count);
}

static void making(void)
{
    char name[32];
    struct stat st;
    int lock, number;

    master = OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));
    slave_name(name, sizeof name);
    OK(stat(name, &st));
    CHECK(S_ISCHR(st.st_mode));
    EQ(st.st_uid, getuid());
    OK(ioctl(master, TIOCGPTN, &number));
    EQ(st.st_rdev, 136 << 8 | number);
    OK(ioctl(master, TIOCGPTLCK, &lock));
    EQ(lock, 1);
    ERR(open_slave(O_RDWR | O_NOCTTY), EIO);
    lock = 0;
    OK(ioctl(master, TIOCSPTLCK, &lock));
    slave = OK(open_slave(O_RDWR | O_NOCTTY));
    ERR(ioctl(master, TIOCGPTN, NULL), EFAULT);
    ERR(ioctl(slave, TIOCGPTN, &number), ENOTTY);
    ERR(unlink(name), EPERM);
    OK(close(master));
    ERR(stat(name, &st), ENOENT);
}

static void both_ways(void)
{
    struct termios t;
    int n;

    open_pair();
    put(master, "hello\n");
    expect(master, "hello\r\n"); /* the echo */
    expect(slave, "hello\n");
    put(slave, "out\n");
    wait_for(master, 5);
    OK(ioctl(slave, TIOCOUTQ, &n));
    EQ(n, 0);
    expect(master, "out\r\n");
    OK(ioctl(master, TCGETS, &t)); /* the slave's */
    CHECK(t.c_lflag & ICANON);
    settings(make_raw);
    OK(ioctl(master, TCGETS, &t));
    CHECK(!(t.c_lflag & ICANON));
    EQ(t.c_cflag & CSIZE, CS8);
    put(master, "raw");
    wait_for(slave, 3);
    expect(slave, "raw");
    put(master, "gone");
    OK(ioctl(slave, TCFLSH, TCIFLUSH));
    put(master, "x");
    expect(slave, "x");
}

static void much(void)
{
    static char out[100000], in[4096];
    size_t got = 0;
    pid_t pid;

    open_pair();
    settings(make_raw);
    for (size_t i = 0; i < sizeof out; i++) {
        out[i] = (char)(i * 7 % 251);
    }
    CHILD(pid)
    {
        EQ(write(slave, out, sizeof out), sizeof out);
    }
    while (got < sizeof out) {
        ssize_t n = OK(read(master, in, sizeof in));

        CHECK(n > 0 && memcmp(in, out + got, (size_t)n) == 0);
        got += (size_t)n;
    }
    wait_ok(pid);
    got = 0;
    CHILD(pid)
    {
        EQ(write(master, out, sizeof out), sizeof out);
    }
    while (got < sizeof out) {
        ssize_t n = OK(read(slave, in, sizeof in));

        CHECK(n > 0 && memcmp(in, out + got, (size_t)n) == 0);
        got += (size_t)n;
    }
    wait_ok(pid);
}

static void slave_closes(void)
{
    char c;

    open_pair();
    put(slave, "last");
    OK(close(slave));
    EQ(events(master, POLLIN) & (POLLIN | POLLHUP), POLLIN | POLLHUP);
    expect(master, "last");
    ERR(read(master, &c, 1), EIO);
    EQ(events(master, POLLIN) & (POLLIN | POLLHUP), POLLHUP);
    put(master, "kept\n");
    slave = OK(open_slave(O_RDWR | O_NOCTTY)); /* and all is well again */
    expect(slave, "kept\n");
    expect(master, "kept\r\n");
    EQ(events(master, POLLIN) & (POLLIN | POLLHUP), 0);
    put(slave, "again");
    expect(master, "again");
}

static void never_opened(void)
{
    char c;

    master = OK(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK));
    EQ(events(master, POLLIN) & (POLLIN | POLLHUP), 0);
    ERR(read(master, &c, 1), EAGAIN);
}

static void master_closes(void)
{
    struct termios t;
    char c;
    pid_t pid;

    open_pair();
    CHILD(pid)
    {
        close(master);
        ERR(read(slave, &c, 1), EIO); /* sleeping when it happens */
    }
    wait_state(pid, 'S');
    OK(close(master));
    wait_ok(pid);
    EQ(read(slave, &c, 1), 0);
    ERR(write(slave, "x", 1), EIO);
    ERR(ioctl(slave, TCGETS, &t), EIO);
    EQ(events(slave, POLLIN | POLLOUT), POLLIN | POLLOUT | POLLERR | POLLHUP);
}

/* A session of its own with the slave as its terminal. */
static void lead(void)
{
    OK(setsid());
    OK(ioctl(slave, TIOCSCTTY, 0));
}

static void hangup_signals(void)
{
    struct gate ready;
    pid_t pid;

    open_pair();
    gate_init(&ready);
    CHILD(pid)
    {
        close(master);
        handle(SIGHUP, count_signal, 0, 0);
        lead();
        sig_block(SIGHUP);
        gate_open(&ready);
        uint64_t none = 0;
        sigsuspend((sigset_t *)&none);
        EQ(caught_signo, SIGHUP);
        ERR(open("/dev/tty", O_RDWR), ENXIO);
    }
    gate_wait(&ready);
    OK(close(master));
    wait_ok(pid);
}

static void leader_exits(void)
{
    pid_t pid, worker;
    struct gate ready;
    int session, tell[2];

    open_pair();
    gate_init(&ready);
    OK(pipe(tell));
    CHILD(pid)
    {
        lead();
        worker = OK(fork());
        if (worker == 0) {
            gate_open(&ready);
            for (;;) {
                pause();
            }
        }
        gate_wait(&ready);
        OK(setpgid(worker, worker));
        sig_block(SIGTTOU);
        OK(ioctl(slave, TIOCSPGRP, &worker));
        EQ(write(tell[1], &worker, sizeof worker), sizeof worker);
    }
    wait_ok(pid);
    EQ(read(tell[0], &worker, sizeof worker), sizeof worker);
    while (kill(worker, 0) == 0) { /* SIGHUP came to the foreground */
        sleep_ms(2);
    }
    EQ(errno, ESRCH);
    ERR(ioctl(master, TIOCGSID, &session), ENOTTY);
}

static void controlling(void)
{
    pid_t pid;
    int id;

    open_pair();
    CHILD(pid)
    {
        OK(setsid());
        ERR(open("/dev/tty", O_RDWR), ENXIO);
        ERR(ioctl(slave, TIOCGPGRP, &id), ENOTTY);
        close(OK(open_slave(O_RDWR | O_NOCTTY)));
        ERR(open("/dev/tty", O_RDWR), ENXIO);
        close(OK(open_slave(O_RDWR)));
        close(OK(open("/dev/tty", O_RDWR)));
        OK(ioctl(slave, TIOCGPGRP, &id));
        EQ(id, getpid());
        OK(ioctl(master, TIOCGPGRP, &id)); /* the master may ask, too */
        EQ(id, getpid());
        OK(ioctl(master, TIOCGSID, &id));
        EQ(id, getpid());
        OK(ioctl(slave, TIOCSCTTY, 0));
        handle(SIGHUP, SIG_IGN, 0, 0);
        OK(ioctl(slave, TIOCNOTTY));
        ERR(ioctl(slave, TIOCNOTTY), ENOTTY);
        ERR(open("/dev/tty", O_RDWR), ENXIO);
        ERR(ioctl(master, TIOCGSID, &id), ENOTTY);
    }
    wait_ok(pid);
}

static void member_gives_up(void)
{
    pid_t pid, member;

    open_pair();
    CHILD(pid)
    {
        lead();
        CHILD(member)
        {
            close(OK(open("/dev/tty", O_RDWR)));
            OK(ioctl(slave, TIOCNOTTY));
            ERR(open("/dev/tty", O_RDWR), ENXIO);
        }
        wait_ok(member);
        close(OK(open("/dev/tty", O_RDWR)));
    }
    wait_ok(pid);
}

static void keys(void)
{
    pid_t pid;
    struct gate ready;

    open_pair();
    gate_init(&ready);
    CHILD(pid)
    {
        lead();
        handle(SIGINT, SIG_DFL, 0, 0);
        gate_open(&ready);
        for (;;) {
            pause();
        }
    }
    gate_wait(&ready);
    put(master, "\3");
    wait_killed(pid, SIGINT);
    expect(master, "^C");
}

static void signals_from_the_master(void)
{
    pid_t pid;
    struct gate ready;

    open_pair();
    gate_init(&ready);
    ERR(ioctl(master, TIOCSIG, SIGTERM), EINVAL);
    CHILD(pid)
    {
        lead();
        gate_open(&ready);
        for (;;) {
            pause();
        }
    }
    gate_wait(&ready);
    OK(ioctl(master, TIOCSIG, SIGINT));
    wait_killed(pid, SIGINT);
}

static void window_size(void)
{
    struct winsize w = {.ws_row = 40, .ws_col = 100}, got;
    struct gate ready;
    pid_t pid;

    open_pair();
    gate_init(&ready);
    CHILD(pid)
    {
        lead();
        handle(SIGWINCH, count_signal, 0, 0);
        sig_block(SIGWINCH);
        gate_open(&ready);
        uint64_t none = 0;
        sigsuspend((sigset_t *)&none);
        OK(ioctl(slave, TIOCGWINSZ, &got));
        EQ(got.ws_row, 40);
        EQ(got.ws_col, 100);
    }
    gate_wait(&ready);
    OK(ioctl(master, TIOCSWINSZ, &w));
    wait_ok(pid);
}

/* What the next read says, which is one byte. */
static int status_byte(void)
{
    unsigned char c[8];

    EQ(read(master, c, sizeof c), 1);
    return c[0];
}

static void no_flow(struct termios *t)
{
    t->c_iflag &= ~(tcflag_t)IXON;
}

static void flow(struct termios *t)
{
    t->c_iflag |= IXON;
}

static void packet_mode(void)
{
    int on = 1, off = 0;
    char buf[8];

    open_pair();
    ERR(ioctl(slave, TIOCPKT, &on), ENOTTY);
    OK(ioctl(master, TIOCPKT, &on));
    OK(ioctl(master, TIOCGPKT, &off));
    EQ(off, 1);
    put(slave, "ab");
    EQ(read(master, buf, sizeof buf), 3);
    EQ(memcmp(buf, "\0ab", 3), 0);
    OK(ioctl(slave, TCFLSH, TCIFLUSH));
    CHECK(events(master, POLLPRI) & POLLPRI);
    EQ(status_byte(), TIOCPKT_FLUSHREAD);
    OK(ioctl(slave, TCFLSH, TCIOFLUSH));
    EQ(status_byte(), TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE);
    OK(ioctl(slave, TCXONC, TCOOFF));
    EQ(status_byte(), TIOCPKT_STOP);
    OK(ioctl(slave, TCXONC, TCOON));
    EQ(status_byte(), TIOCPKT_START);
    settings(no_flow);
    EQ(status_byte(), TIOCPKT_NOSTOP);
    settings(flow);
    EQ(status_byte(), TIOCPKT_DOSTOP);
    EQ(events(master, POLLPRI | POLLIN), 0);
    off = 0;
    OK(ioctl(master, TIOCPKT, &off));
    put(slave, "c");
    expect(master, "c");
}

static void stopped_output(void)
{
    struct pollfd writable = {.events = POLLOUT};

    open_pair();
    put(master, "\023"); /* ^S */
    OK(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK));
    while (write(slave, "x", 1) == 1) { /* it is still on its way */
        expect(master, "x");
    }
    EQ(errno, EAGAIN);
    EQ(events(master, POLLIN) & POLLIN, 0);
    put(master, "\021"); /* ^Q */
    writable.fd = slave;
    EQ(poll(&writable, 1, -1), 1);
    put(slave, "y");
    expect(master, "y");
}

static void peer(void)
{
    int unlock = 0, fd;
    struct stat a, b;

    master = OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));
    OK(ioctl(master, TIOCSPTLCK, &unlock));
    fd = OK(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    slave = OK(open_slave(O_RDWR | O_NOCTTY));
    OK(fstat(fd, &a));
    OK(fstat(slave, &b));
    EQ(a.st_ino, b.st_ino);
    put(fd, "peer");
    expect(master, "peer");
}

static void termios2_speeds(void)
{
    struct termios2 t;
    struct termios old;

    open_pair();
    OK(ioctl(slave, TCGETS2, &t));
    t.c_cflag = (t.c_cflag & ~(tcflag_t)CBAUD) | BOTHER;
    t.c_ispeed = t.c_ospeed = 12345;
    OK(ioctl(slave, TCSETS2, &t));
    memset(&t, 0, sizeof t);
    OK(ioctl(master, TCGETS2, &t));
    EQ(t.c_ospeed, 12345);
    OK(ioctl(slave, TCGETS, &old));
    EQ(old.c_cflag & CBAUD, BOTHER);
    ERR(ioctl(slave, TCSETS2, NULL), EFAULT);
}

static void typed_by_call(void)
{
    char c = 'i';

    open_pair();
    settings(make_raw);
    if (geteuid() != 0) {
        SKIP("only root may");
    }
    OK(ioctl(slave, TIOCSTI, &c));
    expect(slave, "i");
}

static void exclusive(void)
{
    pid_t pid;

    open_pair();
    if (geteuid() != 0) {
        SKIP("only root can become somebody else");
    }
    OK(ioctl(slave, TIOCEXCL));
    close(OK(open_slave(O_RDWR | O_NOCTTY))); /* root may */
    OK(fchmod(slave, 0666));
    CHILD(pid)
    {
        OK(setuid(1234));
        ERR(open_slave(O_RDWR | O_NOCTTY), EBUSY);
    }
    wait_ok(pid);
    OK(ioctl(slave, TIOCNXCL));
}

const struct test pty_tests[] = {
    {"making", making},
    {"both_ways", both_ways},
    {"much", much},
    {"slave_closes", slave_closes},
    {"never_opened", never_opened},
    {"master_closes", master_closes},
    {"hangup_signals", hangup_signals},
    {"leader_exits", leader_exits},
    {"controlling", controlling},
    {"member_gives_up", member_gives_up},
    {"keys", keys},
    {"signals_from_the_master", signals_from_the_master},
    {"window_size", window_size},
    {"packet_mode", packet_mode},
    {"stopped_output", stopped_output},
    {"peer", peer},
    {"termios2_speeds", termios2_speeds},
    {"typed_by_call", typed_by_call},
    {"exclusive", exclusive},
    {NULL, NULL},
};
