/*
 * Signal-driven I/O: O_ASYNC, FIOASYNC, owners, F_SETSIG; what is told for which kind of file.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define SIG (SIGRTMIN + 3)
#define FCNTL(fd, cmd, arg) syscall(SYS_fcntl, fd, cmd, arg) /* musl asks in its own way */

struct owner {
    int type;
    pid_t pid;
};

static void on(int fd, int signo)
{
    int yes = 1;
    sig_block(SIG);
    sig_block(SIGIO);
    OK(FCNTL(fd, F_SETOWN, getpid()));
    OK(FCNTL(fd, F_SETSIG, signo));
    OK(ioctl(fd, FIOASYNC, &yes));
}

/* Forget what has been told. */
static void forget(void)
{
    struct timespec now = {0, 0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIG);
    sigaddset(&set, SIGIO);
    while (sigtimedwait(&set, NULL, &now) > 0) {
    }
}

static bool told(void)
{
    sigset_t set;
    OK(sigpending(&set));
    return sigismember(&set, SIG) || sigismember(&set, SIGIO);
}

/* The next that fd tells is this. */
static void expect(int fd, int code, long band)
{
    struct timespec long_time = {10, 0};
    siginfo_t info;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIG);
    EQ(OK(sigtimedwait(&set, &info, &long_time)), SIG);
    EQ(info.si_code, code);
    EQ(info.si_fd, fd);
    EQ(info.si_band, band);
    forget();
}

static void flags(void)
{
    int p[2], one = 1, none = 0;
    OK(pipe(p));
    EQ(FCNTL(p[0], F_GETFL, 0) & O_ASYNC, 0);
    OK(FCNTL(p[0], F_SETFL, O_ASYNC | O_NONBLOCK));
    EQ(FCNTL(p[0], F_GETFL, 0) & (O_ASYNC | O_NONBLOCK), O_ASYNC | O_NONBLOCK);
    OK(ioctl(p[0], FIOASYNC, &one));
    OK(ioctl(p[0], FIOASYNC, &none));
    EQ(FCNTL(p[0], F_GETFL, 0) & (O_ASYNC | O_NONBLOCK), O_NONBLOCK);
    OK(ioctl(p[0], FIOASYNC, &one));
    EQ(FCNTL(dup(p[0]), F_GETFL, 0) & O_ASYNC, O_ASYNC);
    OK(FCNTL(p[0], F_SETFL, 0));
    EQ(FCNTL(p[0], F_GETFL, 0) & O_ASYNC, 0);
    ERR(syscall(SYS_ioctl, p[0], FIOASYNC, 8), EFAULT);

    int fd = OK(open("file", O_RDWR | O_CREAT, 0644)); /* has nothing to tell */
    OK(FCNTL(fd, F_SETFL, O_ASYNC));
    EQ(FCNTL(fd, F_GETFL, 0) & O_ASYNC, 0);
    ERR(ioctl(fd, FIOASYNC, &one), ENOTTY);
    OK(ioctl(fd, FIOASYNC, &none));
    fd = OK(open("file", O_PATH));
    ERR(FCNTL(fd, F_SETOWN, getpid()), EBADF);
    ERR(FCNTL(fd, F_GETSIG, 0), EBADF);
    ERR(FCNTL(99, F_SETOWN, getpid()), EBADF);
}

static void owners(void)
{
    struct owner o = {9, 9};
    int p[2];
    pid_t pid;
    OK(pipe(p));
    EQ(FCNTL(p[0], F_GETOWN, 0), 0);
    OK(FCNTL(p[0], F_GETOWN_EX, &o));
    EQ(o.pid, 0);
    OK(FCNTL(p[0], F_SETOWN, getpid()));
    EQ(FCNTL(p[0], F_GETOWN, 0), getpid());
    OK(FCNTL(p[0], F_GETOWN_EX, &o));
    EQ(o.type, F_OWNER_PID);
    EQ(o.pid, getpid());
    OK(FCNTL(p[0], F_SETOWN, -getpgrp()));
    OK(FCNTL(p[0], F_GETOWN_EX, &o));
    EQ(o.type, F_OWNER_PGRP);
    EQ(o.pid, getpgrp());
    o = (struct owner){F_OWNER_TID, (pid_t)syscall(SYS_gettid)};
    OK(FCNTL(p[0], F_SETOWN_EX, &o));
    EQ(FCNTL(p[0], F_GETOWN, 0), o.pid);
    o.type = 3;
    ERR(FCNTL(p[0], F_SETOWN_EX, &o), EINVAL);
    ERR(FCNTL(p[0], F_SETOWN_EX, 8), EFAULT);
    ERR(FCNTL(p[0], F_GETOWN_EX, 8), EFAULT);
    ERR(FCNTL(p[0], F_SETOWN, INT_MIN), EINVAL);
    ERR(FCNTL(p[0], F_SETOWN, 999999), ESRCH);
    ERR(FCNTL(p[0], F_SETOWN, -999999), ESRCH);
    OK(FCNTL(p[0], F_SETOWN, 0));
    EQ(FCNTL(p[0], F_GETOWN, 0), 0);

    CHILD(pid)
    {
        OK(FCNTL(p[0], F_SETOWN, getpid()));
    }
    wait_ok(pid);
    EQ(FCNTL(p[0], F_GETOWN, 0), 0); /* it has ended */

    EQ(FCNTL(p[0], F_GETSIG, 0), 0);
    OK(FCNTL(p[0], F_SETSIG, 64));
    EQ(FCNTL(p[0], F_GETSIG, 0), 64);
    ERR(FCNTL(p[0], F_SETSIG, 65), EINVAL);
    ERR(FCNTL(p[0], F_SETSIG, -1), EINVAL);
    OK(FCNTL(p[0], F_SETSIG, 0));

    int s[2], who = 0; /* sockets have calls of their own for it */
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    who = getpid();
    OK(ioctl(s[0], FIOSETOWN, &who));
    EQ(FCNTL(s[0], F_GETOWN, 0), who);
    who = -getpgrp();
    OK(ioctl(s[0], SIOCSPGRP, &who));
    who = 0;
    OK(ioctl(s[0], SIOCGPGRP, &who));
    EQ(who, -getpgrp());
    ERR(syscall(SYS_ioctl, s[0], FIOSETOWN, 8), EFAULT);
    ERR(syscall(SYS_ioctl, s[0], FIOGETOWN, 8), EFAULT);
    ERR(ioctl(p[0], FIOGETOWN, &who), ENOTTY);
}

static void pipes(void)
{
    char buf[65536];
    int p[2];
    OK(pipe2(p, O_NONBLOCK));
    on(p[0], SIG);
    on(p[1], SIG);
    forget();
    EQ(write(p[1], "x", 1), 1);
    expect(p[0], POLL_IN, POLLIN | POLLRDNORM);
    EQ(write(p[1], "y", 1), 1); /* though there is something already */
    expect(p[0], POLL_IN, POLLIN | POLLRDNORM);
    while (write(p[1], buf, sizeof(buf)) > 0) {
    }
    forget();
    CHECK(!told());
    while (read(p[0], buf, sizeof(buf)) > 0) {
    }
    expect(p[1], POLL_OUT, POLLOUT | POLLWRNORM | POLLWRBAND);
    OK(FCNTL(p[0], F_SETFL, O_NONBLOCK));
    EQ(write(p[1], "z", 1), 1);
    CHECK(!told());
    OK(FCNTL(p[0], F_SETFL, O_NONBLOCK | O_ASYNC));
    forget();
    OK(close(p[1]));
    expect(p[0], POLL_IN, POLLIN | POLLRDNORM);
}

/* Without F_SETSIG: SIGIO, and nothing about it. */
static void plain(void)
{
    struct timespec now = {0, 0};
    siginfo_t info;
    sigset_t set;
    int p[2];
    OK(pipe(p));
    on(p[0], 0);
    EQ(write(p[1], "x", 1), 1);
    sigemptyset(&set);
    sigaddset(&set, SIGIO);
    EQ(OK(sigtimedwait(&set, &info, &now)), SIGIO);
    EQ(info.si_code, SI_KERNEL);
    OK(FCNTL(p[0], F_SETSIG, SIGIO));
    EQ(write(p[1], "x", 1), 1);
    EQ(OK(sigtimedwait(&set, &info, &now)), SIGIO);
    EQ(info.si_code, POLL_IN);
    EQ(info.si_fd, p[0]);
    OK(FCNTL(p[0], F_SETSIG, SIGCHLD)); /* whose codes mean something else */
    sig_block(SIGCHLD);
    EQ(write(p[1], "x", 1), 1);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    EQ(OK(sigtimedwait(&set, &info, &now)), SIGCHLD);
    EQ(info.si_code, SI_SIGIO);
    OK(FCNTL(p[0], F_SETOWN, 0));
    EQ(write(p[1], "x", 1), 1);
    CHECK(!told());
}

static void sockets(void)
{
    char buf[4096] = "";
    int s[2];
    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
    on(s[0], SIG);
    EQ(write(s[1], "x", 1), 1);
    expect(s[0], POLL_IN, POLLIN | POLLRDNORM);
    EQ(read(s[0], buf, 10), 1);
    while (write(s[0], buf, sizeof(buf)) > 0) {
    }
    forget();
    while (read(s[1], buf, sizeof(buf)) > 0) {
    }
    expect(s[0], POLL_OUT, POLLOUT | POLLWRNORM | POLLWRBAND);
    OK(shutdown(s[1], SHUT_WR));
    expect(s[0], POLL_IN, POLLIN | POLLRDNORM);
    OK(close(s[1]));
    expect(s[0], POLL_HUP, POLLHUP | POLLERR);

    OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    on(s[0], SIG);
    EQ(write(s[1], "x", 1), 1);
    expect(s[0], POLL_IN, POLLIN | POLLRDNORM);
}

static void connections(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int l = OK(socket(AF_INET, SOCK_STREAM, 0)), c = OK(socket(AF_INET, SOCK_STREAM, 0));
    OK(bind(l, (void *)&a, sizeof(a)));
    OK(listen(l, 5));
    OK(getsockname(l, (void *)&a, &len));
    on(l, SIG);
    OK(connect(c, (void *)&a, sizeof(a)));
    expect(l, POLL_IN, POLLIN | POLLRDNORM);
    int s = OK(accept(l, NULL, NULL));
    on(s, SIG);
    forget();
    EQ(write(c, "x", 1), 1);
    expect(s, POLL_IN, POLLIN | POLLRDNORM);
    int u = OK(socket(AF_INET, SOCK_DGRAM, 0));
    a.sin_port = 0;
    OK(bind(u, (void *)&a, sizeof(a)));
    OK(getsockname(u, (void *)&a, &len));
    on(u, SIG);
    EQ(sendto(OK(socket(AF_INET, SOCK_DGRAM, 0)), "x", 1, 0, (void *)&a, sizeof(a)), 1);
    expect(u, POLL_IN, POLLIN | POLLRDNORM);
}

static void terminals(void)
{
    int m = OK(posix_openpt(O_RDWR | O_NOCTTY));
    struct termios t;
    OK(grantpt(m));
    OK(unlockpt(m));
    int s = OK(open(ptsname(m), O_RDWR | O_NOCTTY));
    OK(tcgetattr(s, &t));
    t.c_lflag &= ~(tcflag_t)ECHO;
    OK(tcsetattr(s, TCSANOW, &t));
    OK(FCNTL(s, F_SETFL, O_RDWR | O_ASYNC));
    EQ(FCNTL(s, F_GETOWN, 0), getpid()); /* who else, without a group on it */
    on(s, SIG);
    on(m, SIG);
    EQ(write(m, "line\n", 5), 5);
    expect(s, POLL_IN, POLLIN | POLLRDNORM);
    EQ(write(s, "answer", 6), 6);
    expect(m, POLL_IN, POLLIN | POLLRDNORM);
}

static void watches(void)
{
    int fd = OK(inotify_init());
    OK(inotify_add_watch(fd, ".", IN_CREATE));
    on(fd, SIG);
    OK(close(OK(open("new", O_CREAT | O_WRONLY, 0600))));
    expect(fd, POLL_IN, POLLIN | POLLRDNORM);
}

/* It is the one who sets the owner that must be allowed to signal it. */
static void permission(void)
{
    int p[2], flag = 1;
    pid_t pid, parent = getpid();
    sig_block(SIGIO);
    OK(pipe(p));
    OK(ioctl(p[0], FIOASYNC, &flag));
    CHILD(pid)
    {
        OK(setuid(12345));
        OK(FCNTL(p[0], F_SETOWN, parent));
    }
    wait_ok(pid);
    EQ(FCNTL(p[0], F_GETOWN, 0), parent);
    EQ(write(p[1], "x", 1), 1);
    CHECK(!told());
    OK(FCNTL(p[0], F_SETOWN, parent));
    EQ(write(p[1], "x", 1), 1);
    CHECK(told());
}

/* A group, and a thread of another process. */
static void others(void)
{
    int p[2], flag = 1;
    pid_t pid;
    struct gate ready;
    OK(pipe(p));
    gate_init(&ready);
    CHILD(pid)
    {
        struct timespec long_time = {10, 0};
        sigset_t set;
        OK(setpgid(0, 0));
        sig_block(SIGIO);
        gate_open(&ready);
        sigemptyset(&set);
        sigaddset(&set, SIGIO);
        EQ(OK(sigtimedwait(&set, NULL, &long_time)), SIGIO);
        gate_open(&ready);
        EQ(OK(sigtimedwait(&set, NULL, &long_time)), SIGIO);
    }
    gate_wait(&ready);
    OK(ioctl(p[0], FIOASYNC, &flag));
    OK(FCNTL(p[0], F_SETOWN, -pid));
    EQ(write(p[1], "x", 1), 1);
    gate_wait(&ready);
    struct owner o = {F_OWNER_TID, pid};
    OK(FCNTL(p[0], F_SETOWN_EX, &o));
    EQ(write(p[1], "x", 1), 1);
    wait_ok(pid);
    EQ(write(p[1], "x", 1), 1); /* nobody there any more */
}

const struct test sigio_tests[] = {
    {"flags", flags},
    {"owners", owners},
    {"pipes", pipes},
    {"plain", plain},
    {"sockets", sockets},
    {"connections", connections},
    {"terminals", terminals},
    {"watches", watches},
    {"permission", permission},
    {"others", others},
    {0},
};
