/*
 * What AF_UNIX sockets carry beside data: descriptors and credentials.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"

#define ROOM 512

static int send_fds(int s, const char *data, const int *fds, int n)
{
    char control[ROOM] = {0};
    struct iovec v = {(void *)data, strlen(data)};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

    if (n > 0) {
        m.msg_control = control;
        m.msg_controllen = CMSG_SPACE(n * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n * sizeof(int));
    }
    return sendmsg(s, &m, 0);
}

/* The length received; descriptors in fds, their number in *n; flags. */
static int recv_fds(int s, char *data, size_t size, int *fds, int *n, int room, int *flags)
{
    char control[ROOM];
    struct iovec v = {data, size};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control};

    m.msg_controllen = room > 0 ? CMSG_LEN(room * sizeof(int)) : 0;
    *n = 0;
    int got = recvmsg(s, &m, flags ? *flags : 0);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (got >= 0 && c && c->cmsg_type == SCM_RIGHTS) {
        *n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(c), *n * sizeof(int));
    }
    if (flags) {
        *flags = m.msg_flags;
    }
    return got;
}

static void descriptors(void)
{
    char b[32];
    int s[2], p[2], got[4], n, flags;

    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    OK(pipe(p));
    EQ(send_fds(s[0], "hi", p, 2), 2);
    OK(close(p[0]));
    EQ(recv_fds(s[1], b, 32, got, &n, 4, NULL), 2);
    EQ(n, 2);
    EQ(fcntl(got[0], F_GETFD), 0);
    EQ(write(got[1], "via", 3), 3);
    EQ(read(got[0], b, 32), 3);
    EQ(send_fds(s[0], "x", p + 1, 1), 1);
    flags = MSG_CMSG_CLOEXEC;
    EQ(recv_fds(s[1], b, 32, got, &n, 4, &flags), 1);
    EQ(fcntl(got[0], F_GETFD), FD_CLOEXEC);
    EQ(flags & MSG_CMSG_CLOEXEC, MSG_CMSG_CLOEXEC);
    got[0] = 150;
    ERR(send_fds(s[0], "x", got, 1), EBADF);
    /* no room: they are lost, and it is said */
    EQ(send_fds(s[0], "x", p + 1, 1), 1);
    flags = 0;
    EQ(recv_fds(s[1], b, 32, got, &n, 0, &flags), 1);
    EQ(flags, MSG_CTRUNC);
    int many[3] = {p[1], p[1], s[0]};
    EQ(send_fds(s[0], "x", many, 3), 1);
    flags = 0;
    EQ(recv_fds(s[1], b, 32, got, &n, 2, &flags), 1);
    EQ(n, 2);
    EQ(flags, MSG_CTRUNC);
    EQ(send_fds(s[0], "x", p + 1, 1), 1); /* read throws them away */
    EQ(read(s[1], b, 32), 1);
}

static void boundaries(void)
{
    char b[32];
    int s[2], p[2], got[4], n;

    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    OK(pipe(p));
    EQ(write(s[0], "before ", 7), 7);
    EQ(send_fds(s[0], "with", p, 1), 4);
    EQ(write(s[0], " after", 6), 6);
    EQ(recv_fds(s[1], b, 32, got, &n, 4, NULL), 11); /* up to the end of what brought it */
    EQ(n, 1);
    EQ(recv_fds(s[1], b, 32, got, &n, 4, NULL), 6);
    EQ(n, 0);
    EQ(send_fds(s[0], "one", p, 1), 3);
    EQ(send_fds(s[0], "two", p, 2), 3);
    int flags = MSG_PEEK;
    EQ(recv_fds(s[1], b, 2, got, &n, 4, &flags), 2);
    EQ(n, 1); /* another copy */
    EQ(recv_fds(s[1], b, 2, got, &n, 4, NULL), 2);
    EQ(n, 1);
    EQ(recv_fds(s[1], b, 32, got, &n, 4, NULL), 4); /* "e" and "two" */
    EQ(n, 2);
    OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    EQ(send_fds(s[0], "", p, 2), 0);
    EQ(recv_fds(s[1], b, 32, got, &n, 4, NULL), 0);
    EQ(n, 2);
}

/* The descriptor kept by the message alone keeps the pipe open. */
static void in_flight(void)
{
    char b[8];
    int s[2], p[2], got[4], n;

    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    OK(pipe(p));
    EQ(send_fds(s[0], "x", p + 1, 1), 1);
    OK(close(p[1]));
    OK(fcntl(p[0], F_SETFL, O_NONBLOCK));
    ERR(read(p[0], b, 1), EAGAIN);
    OK(close(s[0]));
    ERR(read(p[0], b, 1), EAGAIN);
    EQ(recv_fds(s[1], b, 8, got, &n, 4, NULL), 1);
    OK(close(got[0]));
    EQ(read(p[0], b, 1), 0);
    OK(pipe(p));
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    EQ(send_fds(s[0], "x", p + 1, 1), 1);
    OK(close(p[1]));
    OK(close(s[1])); /* the queue goes, and the descriptor with it */
    EQ(read(p[0], b, 1), 0);
}

/*
 * The end of a pipe whose other end is garbage. Some systems look for garbage only when another socket is
 * closed, then do it in the background, and take no notice of what is closed meanwhile.
 */
static void ends(int pipe)
{
    char b[1];
    int s[2];
    ssize_t n;

    OK(fcntl(pipe, F_SETFL, O_NONBLOCK));
    while ((n = read(pipe, b, 1)) < 0) {
        EQ(errno, EAGAIN);
        OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
        OK(close(s[0]));
        OK(close(s[1]));
        OK(usleep(1000));
    }
    EQ(n, 0);
}

/* Sockets that hold each other in their queues go all the same, and what they hold. */
static void cycles(void)
{
    char b[8];
    int s[2], t[2], p[2];

    OK(pipe(p));
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, t));
    EQ(send_fds(s[0], "x", p + 1, 1), 1);
    EQ(send_fds(s[0], "x", t, 2), 1);
    EQ(send_fds(t[0], "x", s, 2), 1);
    OK(close(p[1]));
    OK(close(t[0]));
    OK(close(t[1]));
    OK(fcntl(p[0], F_SETFL, O_NONBLOCK));
    ERR(read(p[0], b, 1), EAGAIN); /* still to be reached */
    OK(close(s[0]));
    ERR(read(p[0], b, 1), EAGAIN);
    OK(close(s[1]));
    ends(p[0]);
    /* one that holds itself */
    OK(pipe(p));
    OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
    int all[3] = {s[0], s[1], p[1]};
    EQ(send_fds(s[0], "x", all, 3), 1);
    OK(close(p[1]));
    OK(close(s[0]));
    OK(close(s[1]));
    ends(p[0]);
}

/* A long chain, each in the queue of the next, goes without harm. */
static void chain(void)
{
    char b[8];
    int p[2], s[2], last, n = 0;

    OK(pipe(p));
    last = p[1];
    for (int i = 0; i < 2000; i++) {
        OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
        if (send_fds(s[0], "x", &last, 1) < 0) {
            EQ(errno, ETOOMANYREFS); /* some do not allow it */
            OK(close(s[0]));
            OK(close(s[1]));
            break;
        }
        n++;
        OK(close(last));
        OK(close(s[0]));
        last = s[1];
    }
    CHECK(n >= 3);
    OK(close(last));
    EQ(read(p[0], b, 1), 0);
}

static int send_cred(int s, const struct ucred *u)
{
    char control[CMSG_SPACE(sizeof *u)] = {0};
    struct iovec v = {"c", 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control};

    m.msg_controllen = sizeof control;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_CREDENTIALS;
    c->cmsg_len = CMSG_LEN(sizeof *u);
    memcpy(CMSG_DATA(c), u, sizeof *u);
    return sendmsg(s, &m, 0);
}

static int recv_cred(int s, struct ucred *u)
{
    char control[ROOM], data[16];
    struct iovec v = {data, sizeof data};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control};

    m.msg_controllen = sizeof control;
    memset(u, 0xee, sizeof *u);
    int got = recvmsg(s, &m, 0);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_type == SCM_CREDENTIALS) {
        memcpy(u, CMSG_DATA(c), sizeof *u);
    }
    return got;
}

static void credentials(void)
{
    struct ucred u, mine = {getpid(), getuid(), getgid()};
    int s[2], on = 1;
    socklen_t len = sizeof u;
    pid_t pid;

    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    OK(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &u, &len));
    EQ(len, sizeof u);
    EQ(u.pid, getpid());
    EQ(u.uid, geteuid());
    EQ(write(s[0], "a", 1), 1);
    OK(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    EQ(recv_cred(s[1], &u), 1);
    EQ(u.pid, 0); /* sent before it was wanted */
    EQ(u.uid, 65534);
    EQ(write(s[0], "b", 1), 1);
    CHILD(pid)
    {
        EQ(write(s[0], "c", 1), 1);
        EQ(write(s[0], "d", 1), 1);
    }
    wait_ok(pid);
    EQ(recv_cred(s[1], &u), 1); /* by writer */
    EQ(u.pid, getpid());
    EQ(u.uid, getuid());
    EQ(recv_cred(s[1], &u), 2);
    EQ(u.pid, pid);
    OK(send_cred(s[0], &mine));
    EQ(recv_cred(s[1], &u), 1);
    EQ(u.pid, getpid());
    if (getuid() == 0) {
        mine.uid = 77;
        OK(send_cred(s[0], &mine)); /* root may say what it likes */
        EQ(recv_cred(s[1], &u), 1);
        EQ(u.uid, 77);
        CHILD(pid)
        {
            OK(setgid(5));
            OK(setuid(5));
            mine = (struct ucred){getpid(), 0, 5};
            ERR(send_cred(s[0], &mine), EPERM);
            mine = (struct ucred){getpid(), 5, 5};
            OK(send_cred(s[0], &mine));
        }
        wait_ok(pid);
        EQ(recv_cred(s[1], &u), 1);
        EQ(u.uid, 5);
    }
    OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
    OK(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    EQ(write(s[0], "e", 1), 1);
    EQ(recv_cred(s[1], &u), 1);
    EQ(u.pid, getpid());
    int l = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    OK(getsockopt(l, SOL_SOCKET, SO_PEERCRED, &u, &len));
    EQ(u.pid, 0);
    EQ(u.uid, -1u);
}

static void bad_control(void)
{ /* not through the library, which looks at it first */
    char control[64] = {0};
    int s[2];
    struct iovec v = {"x", 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control};

    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    m.msg_controllen = sizeof control;
    struct cmsghdr *c = (struct cmsghdr *)control;
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = 4;
    ERR(syscall(SYS_sendmsg, s[0], &m, 0), EINVAL);
    c->cmsg_len = 1000;
    ERR(syscall(SYS_sendmsg, s[0], &m, 0), EINVAL);
    c->cmsg_len = CMSG_LEN(0);
    c->cmsg_type = 99;
    m.msg_controllen = CMSG_LEN(0);
    ERR(syscall(SYS_sendmsg, s[0], &m, 0), EINVAL);
    c->cmsg_level = 77; /* of other protocols: not looked at */
    EQ(sendmsg(s[0], &m, 0), 1);
    m.msg_control = (void *)8;
    m.msg_controllen = 32;
    ERR(syscall(SYS_sendmsg, s[0], &m, 0), EFAULT);
    m.msg_control = control;
    m.msg_controllen = 1 << 20;
    ERR(syscall(SYS_sendmsg, s[0], &m, 0), ENOBUFS);
}

const struct test scm_tests[] = {
    {"descriptors", descriptors},
    {"boundaries", boundaries},
    {"in_flight", in_flight},
    {"cycles", cycles},
    {"chain", chain},
    {"credentials", credentials},
    {"bad_control", bad_control},
    {0},
};
