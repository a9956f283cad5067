/*
 * AF_UNIX sockets: names, connections, data, errors. Descriptors and credentials: scm.c.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"

static struct sockaddr_un named(const char *path, socklen_t *len)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    strcpy(a.sun_path, path);
    *len = offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1;
    return a;
}

/* A name no other test has: the process' number in it. */
static struct sockaddr_un abstract(const char *name, socklen_t *len)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    size_t n = strlen(name);

    memcpy(a.sun_path + 1, name, n);
    pid_t pid = getpid();
    memcpy(a.sun_path + 1 + n, &pid, sizeof pid);
    *len = offsetof(struct sockaddr_un, sun_path) + 1 + n + sizeof pid;
    return a;
}

static int bound(int type, const char *path)
{
    socklen_t len;
    struct sockaddr_un a = named(path, &len);
    int s = OK(socket(AF_UNIX, type, 0));

    OK(bind(s, (struct sockaddr *)&a, len));
    return s;
}

static int listener(const char *path, int backlog)
{
    int s = bound(SOCK_STREAM, path);

    OK(listen(s, backlog));
    return s;
}

static int try_connect(int s, const char *path)
{
    socklen_t len;
    struct sockaddr_un a = named(path, &len);

    return connect(s, (struct sockaddr *)&a, len);
}

static int connected(const char *path)
{
    int s = OK(socket(AF_UNIX, SOCK_STREAM, 0));

    OK(try_connect(s, path));
    return s;
}

static void pair_of(int type, int s[2])
{
    OK(socketpair(AF_UNIX, type, 0, s));
}

static short ready(int fd)
{
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};

    OK(poll(&p, 1, 0));
    return p.revents;
}

static int option(int s, int name)
{
    int value = -1;
    socklen_t len = sizeof value;

    OK(getsockopt(s, SOL_SOCKET, name, &value, &len));
    EQ(len, sizeof value);
    return value;
}

static void arguments(void)
{
    int s[2];

    ERR(socket(AF_UNIX, SOCK_STREAM, 7), EPROTONOSUPPORT);
    ERR(socket(AF_UNIX, 9, 0), ESOCKTNOSUPPORT);
    ERR(socket(AF_UNIX, 0x100, 0), EINVAL);
    ERR(socket(1000, SOCK_STREAM, 0), EAFNOSUPPORT);
    ERR(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8), EFAULT);
    EQ(option(OK(socket(AF_UNIX, SOCK_SEQPACKET, 0)), SO_TYPE), SOCK_SEQPACKET);
    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s));
    EQ(fcntl(s[0], F_GETFL), O_RDWR | O_NONBLOCK);
    EQ(fcntl(s[1], F_GETFD), FD_CLOEXEC);
    int p[2];
    OK(pipe(p));
    ERR(listen(p[0], 1), ENOTSOCK);
    ERR(listen(100, 1), EBADF);
    ERR(accept(p[0], NULL, NULL), ENOTSOCK);
    ERR(shutdown(s[0], 3), EINVAL);
    ERR(lseek(s[0], 0, SEEK_SET), ESPIPE);
    ERR(pread(s[0], p, 1, 0), ESPIPE);
    ERR(ioctl(s[0], 0x5401, p), ENOTTY);
    ERR(fsync(s[0]), EINVAL);
}

static void stream(void)
{
    char b[64] = "";
    int s[2], n;
    struct stat st;

    pair_of(SOCK_STREAM, s);
    EQ(write(s[0], "hello", 5), 5);
    EQ(send(s[0], " world", 6, 0), 6);
    EQ(ioctl(s[1], FIONREAD, &n), 0);
    EQ(n, 11);
    EQ(recv(s[1], b, 3, MSG_PEEK), 3);
    EQ(recv(s[1], b, sizeof b, 0), 11);
    CHECK(memcmp(b, "hello world", 11) == 0);
    ERR(recv(s[1], b, 1, MSG_DONTWAIT), EAGAIN);
    EQ(read(s[1], b, 0), 0);
    EQ(write(s[1], "back", 4), 4);
    EQ(read(s[0], b, 64), 4);
    OK(fstat(s[0], &st));
    CHECK(S_ISSOCK(st.st_mode));
    EQ(st.st_mode & 07777, 0777);
    ERR(write(s[0], (void *)8, 4), EFAULT);
    EQ(write(s[0], "xy", 2), 2);
    ERR(read(s[1], (void *)8, 2), EFAULT);
    EQ(read(s[1], b, 64), 2); /* still there */
    char link[64] = "", path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", s[0]);
    OK(readlink(path, link, sizeof link - 1));
    CHECK(strncmp(link, "socket:[", 8) == 0);
    ERR(open(path, O_RDWR), ENXIO);
    EQ(option(s[0], SO_TYPE), SOCK_STREAM);
    EQ(option(s[0], SO_DOMAIN), AF_UNIX);
    EQ(option(s[0], SO_PROTOCOL), 0);
    EQ(option(s[0], SO_ACCEPTCONN), 0);
    EQ(option(s[0], SO_ERROR), 0);
    EQ(option(s[0], SO_SNDBUF), 212992);
}

static void closing(void)
{
    char b[8];
    int s[2];

    handle(SIGPIPE, count_signal, 0, 0);
    pair_of(SOCK_STREAM, s);
    EQ(write(s[0], "end", 3), 3);
    EQ(ready(s[1]), POLLIN | POLLOUT);
    OK(close(s[0]));
    EQ(ready(s[1]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP);
    EQ(read(s[1], b, 8), 3);
    EQ(read(s[1], b, 8), 0);
    ERR(write(s[1], "x", 1), EPIPE);
    EQ(caught, 1);
    ERR(send(s[1], "x", 1, MSG_NOSIGNAL), EPIPE);
    EQ(caught, 1);
    OK(close(s[1]));
    pair_of(SOCK_STREAM, s);
    EQ(write(s[1], "unread", 6), 6);
    OK(close(s[0])); /* with something unread */
    EQ(ready(s[1]), POLLIN | POLLOUT | POLLHUP | POLLRDHUP | POLLERR);
    ERR(read(s[1], b, 8), ECONNRESET);
    EQ(read(s[1], b, 8), 0);
}

static void half_close(void)
{
    char b[8];
    int s[2];

    handle(SIGPIPE, count_signal, 0, 0);
    pair_of(SOCK_STREAM, s);
    EQ(write(s[0], "a", 1), 1);
    OK(shutdown(s[0], SHUT_WR));
    EQ(ready(s[1]), POLLIN | POLLOUT | POLLRDHUP);
    EQ(read(s[1], b, 8), 1);
    EQ(read(s[1], b, 8), 0);
    EQ(write(s[1], "answer", 6), 6);
    EQ(read(s[0], b, 8), 6);
    ERR(write(s[0], "x", 1), EPIPE);
    EQ(caught, 1);
    OK(shutdown(s[0], SHUT_RD));
    ERR(write(s[1], "x", 1), EPIPE);
    EQ(caught, 2);
    EQ(read(s[0], b, 8), 0);
}

static void names(void)
{
    socklen_t len;
    struct sockaddr_un a, b;
    struct stat st;
    int s, c;

    umask(027);
    s = bound(SOCK_STREAM, "sock");
    OK(lstat("sock", &st));
    EQ(st.st_mode, S_IFSOCK | 0750);
    len = sizeof a;
    OK(getsockname(s, (struct sockaddr *)&a, &len));
    EQ(len, offsetof(struct sockaddr_un, sun_path) + 5);
    CHECK(strcmp(a.sun_path, "sock") == 0);
    ERR(getpeername(s, (struct sockaddr *)&a, &len), ENOTCONN);
    a = named("sock", &len);
    ERR(bind(s, (struct sockaddr *)&a, len), EADDRINUSE);
    a = named("second", &len);
    ERR(bind(s, (struct sockaddr *)&a, len), EINVAL); /* has a name */
    ERR(lstat("second", &st), ENOENT);
    a = named("sock", &len);
    c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    ERR(bind(c, (struct sockaddr *)&a, len), EADDRINUSE);
    ERR(connect(c, (struct sockaddr *)&a, len), ECONNREFUSED); /* does not listen */
    a = named("none", &len);
    ERR(connect(c, (struct sockaddr *)&a, len), ENOENT);
    a = named("none/x", &len);
    ERR(bind(c, (struct sockaddr *)&a, len), ENOENT);
    write_file("file", "");
    ERR(try_connect(c, "file"), ECONNREFUSED);
    ERR(open("sock", O_RDWR), ENXIO);
    ERR(bind(c, (struct sockaddr *)&a, 1), EINVAL);
    ERR(bind(c, (struct sockaddr *)&a, 111), EINVAL);
    a.sun_family = AF_INET;
    ERR(bind(c, (struct sockaddr *)&a, len), EINVAL);
    len = sizeof b;
    OK(getsockname(c, (struct sockaddr *)&b, &len));
    EQ(len, 2);
    ERR(listen(c, 1), EINVAL); /* without a name */
    OK(close(s));
    ERR(try_connect(c, "sock"), ECONNREFUSED); /* the name stays */
    OK(unlink("sock"));
    s = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    ERR(listen(s, 1), EOPNOTSUPP);
    ERR(accept(s, NULL, NULL), EOPNOTSUPP);
    listener("l", 3);
    c = OK(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    ERR(try_connect(c, "l"), EPROTOTYPE);
    OK(rename("l", "m")); /* it is the inode that counts */
    OK(link("m", "n"));
    connected("n");
}

static void abstract_names(void)
{
    socklen_t len, got;
    struct sockaddr_un a = abstract("x", &len), b;
    int s = OK(socket(AF_UNIX, SOCK_STREAM, 0)), t = OK(socket(AF_UNIX, SOCK_STREAM, 0));

    OK(bind(s, (struct sockaddr *)&a, len));
    ERR(bind(t, (struct sockaddr *)&a, len), EADDRINUSE);
    ERR(connect(t, (struct sockaddr *)&a, len), ECONNREFUSED);
    OK(listen(s, 1));
    OK(connect(t, (struct sockaddr *)&a, len));
    got = sizeof b;
    OK(getpeername(t, (struct sockaddr *)&b, &got));
    EQ(got, len);
    CHECK(memcmp(&a, &b, len) == 0);
    OK(close(s));
    s = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    OK(bind(s, (struct sockaddr *)&a, len)); /* free again */
    a = (struct sockaddr_un){.sun_family = AF_UNIX};
    t = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    OK(bind(t, (struct sockaddr *)&a, sizeof(sa_family_t))); /* choose one */
    got = sizeof b;
    OK(getsockname(t, (struct sockaddr *)&b, &got));
    EQ(got, sizeof(sa_family_t) + 6);
    EQ(b.sun_path[0], 0);
}

static void connecting(void)
{
    socklen_t len = sizeof(struct sockaddr_un);
    struct sockaddr_un a;
    int l = listener("l", 5), c = connected("l"), s;
    char b[8];

    EQ(option(l, SO_ACCEPTCONN), 1);
    EQ(write(c, "early", 5), 5); /* before it is accepted */
    EQ(ready(l), POLLIN);
    s = OK(accept4(l, (struct sockaddr *)&a, &len, SOCK_CLOEXEC | SOCK_NONBLOCK));
    EQ(len, 2); /* the other end has no name */
    EQ(fcntl(s, F_GETFL), O_RDWR | O_NONBLOCK);
    EQ(fcntl(s, F_GETFD), FD_CLOEXEC);
    EQ(read(s, b, 8), 5);
    len = sizeof a;
    OK(getsockname(s, (struct sockaddr *)&a, &len));
    CHECK(strcmp(a.sun_path, "l") == 0);
    len = sizeof a;
    OK(getpeername(c, (struct sockaddr *)&a, &len));
    CHECK(strcmp(a.sun_path, "l") == 0);
    ERR(try_connect(c, "l"), EISCONN);
    ERR(accept(c, NULL, NULL), EINVAL);
    ERR(syscall(SYS_accept4, l, NULL, NULL, 1), EINVAL);
    OK(fcntl(l, F_SETFL, O_NONBLOCK));
    ERR(accept(l, NULL, NULL), EAGAIN);
    ERR(read(l, b, 1), EINVAL);
    ERR(write(l, b, 1), ENOTCONN);
    EQ(ready(l), 0);
    c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    EQ(ready(c), POLLOUT | POLLHUP);
    ERR(read(c, b, 1), EINVAL);
    ERR(write(c, b, 1), ENOTCONN);
    EQ(shutdown(c, SHUT_RDWR), 0);
    c = connected("l");
    OK(close(l)); /* with one that was not accepted */
    ERR(read(c, b, 1), ECONNRESET);
    EQ(read(c, b, 1), 0);
}

static void backlog(void)
{
    int l = listener("l", 1), c;
    pid_t pid;

    connected("l");
    connected("l");
    c = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ERR(try_connect(c, "l"), EAGAIN);
    CHILD(pid)
    {
        connected("l"); /* waits */
    }
    wait_state(pid, 'S');
    OK(accept(l, NULL, NULL));
    wait_ok(pid);
    CHILD(pid)
    {
        c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
        OK(close(l));
        ERR(try_connect(c, "l"), ECONNREFUSED);
    }
    wait_state(pid, 'S');
    OK(close(l)); /* who waits learns it */
    wait_ok(pid);
}

static void accept_waits(void)
{
    int l = listener("l", 5);
    pid_t pid[3];
    char c;

    for (int i = 0; i < 3; i++) {
        CHILD(pid[i])
        {
            int s = OK(accept(l, NULL, NULL));
            EQ(write(s, "x", 1), 1);
        }
        wait_state(pid[i], 'S');
    }
    for (int i = 0; i < 3; i++) {
        int s = connected("l");
        EQ(read(s, &c, 1), 1);
    }
    for (int i = 0; i < 3; i++) {
        wait_ok(pid[i]);
    }
    CHILD(pid[0])
    {
        ERR(accept(l, NULL, NULL), EINVAL);
    }
    wait_state(pid[0], 'S');
    OK(shutdown(l, SHUT_RD));
    wait_ok(pid[0]);
}

static void blocking(void)
{
    static char block[300000];
    int s[2];
    pid_t pid;

    pair_of(SOCK_STREAM, s);
    CHILD(pid)
    {
        OK(close(s[0]));
        EQ(read(s[1], block, 100), 5);
        EQ(write(s[1], "go", 2), 2);
        EQ(recv(s[1], block, sizeof block, MSG_WAITALL), sizeof block);
        for (size_t i = 0; i < sizeof block; i++) {
            CHECK(block[i] == (char)(i * 7 >> 3));
        }
        EQ(recv(s[1], block, 10, MSG_WAITALL), 3); /* the end comes before */
    }
    OK(close(s[1]));
    wait_state(pid, 'S');
    EQ(write(s[0], "hello", 5), 5);
    EQ(read(s[0], block, 2), 2);
    for (size_t i = 0; i < sizeof block; i++) {
        block[i] = (char)(i * 7 >> 3);
    }
    EQ(write(s[0], block, sizeof block), sizeof block); /* more than fits */
    EQ(write(s[0], "end", 3), 3);
    OK(close(s[0]));
    wait_ok(pid);
}

static void full(void)
{
    static char block[65536];
    int s[2], sent = 0, n;
    short r;

    pair_of(SOCK_STREAM, s);
    OK(fcntl(s[0], F_SETFL, O_NONBLOCK));
    while ((n = write(s[0], block, sizeof block)) > 0) {
        sent += n;
    }
    EQ(errno, EAGAIN);
    CHECK(sent >= 100000 && sent < 1000000);
    r = ready(s[0]);
    EQ(r & POLLOUT, 0);
    EQ(recv(s[1], block, 1000, MSG_WAITALL), 1000);
    EQ(ready(s[0]) & POLLOUT, 0); /* not much room */
    for (int got = 1000; got < sent; got += n) {
        n = OK(read(s[1], block, sizeof block));
    }
    EQ(ready(s[0]), POLLOUT);
    struct timeval tv = {0, 30000}, back;
    socklen_t len = sizeof back;
    OK(fcntl(s[0], F_SETFL, 0));
    OK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    OK(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &back, &len));
    EQ(back.tv_usec / 10000, 3);
    ERR(read(s[0], block, 1), EAGAIN);
    OK(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    while ((n = write(s[0], block, sizeof block)) == sizeof block) {
    }
    CHECK(n > 0 || errno == EAGAIN); /* short, or nothing */
}

static void interrupted(void)
{
    int s[2];
    pid_t pid;
    char c;

    pair_of(SOCK_STREAM, s);
    CHILD(pid)
    {
        handle(SIGUSR1, count_signal, 0, 0);
        ERR(read(s[1], &c, 1), EINTR);
        handle(SIGUSR1, count_signal, SA_RESTART, 0);
        EQ(read(s[1], &c, 1), 1);
        EQ(caught, 2);
    }
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    sleep_ms(50);
    wait_state(pid, 'S');
    OK(kill(pid, SIGUSR1));
    sleep_ms(50);
    wait_state(pid, 'S');
    EQ(write(s[0], "x", 1), 1);
    wait_ok(pid);
}

/* One reads, one polls after it: both see what comes, if the first leaves something. */
static void reader_and_poller(void)
{
    int s[2];
    pid_t reader, poller;
    char c;

    pair_of(SOCK_STREAM, s);
    CHILD(reader)
    {
        EQ(read(s[1], &c, 1), 1);
    }
    wait_state(reader, 'S');
    CHILD(poller)
    {
        struct pollfd p = {s[1], POLLIN, 0};
        EQ(poll(&p, 1, 10000), 1);
    }
    wait_state(poller, 'S');
    EQ(write(s[0], "xy", 2), 2);
    wait_ok(reader);
    wait_ok(poller);
}

static void dgrams(void)
{
    socklen_t len;
    struct sockaddr_un a = named("to", &len), from;
    int r = bound(SOCK_DGRAM, "to"), s = bound(SOCK_DGRAM, "from"), n;
    char b[16] = "";

    ERR(send(s, "x", 1, 0), ENOTCONN);
    EQ(sendto(s, "first", 5, 0, (struct sockaddr *)&a, len), 5);
    EQ(sendto(s, "", 0, 0, (struct sockaddr *)&a, len), 0);
    EQ(sendto(s, "second", 6, 0, (struct sockaddr *)&a, len), 6);
    EQ(ioctl(r, FIONREAD, &n), 0);
    EQ(n, 5);
    len = sizeof from;
    EQ(recvfrom(r, b, 3, MSG_PEEK | MSG_TRUNC, (struct sockaddr *)&from, &len), 5);
    EQ(recvfrom(r, b, 3, 0, (struct sockaddr *)&from, &len), 3); /* the rest is lost */
    CHECK(strcmp(from.sun_path, "from") == 0);
    EQ(recv(r, b, 16, 0), 0);
    OK(connect(s, (struct sockaddr *)&a, offsetof(struct sockaddr_un, sun_path) + 3));
    EQ(write(s, "third", 5), 5);
    EQ(read(r, b, 16), 6);
    EQ(read(r, b, 16), 5);
    ERR(recv(r, b, 1, MSG_DONTWAIT), EAGAIN);
    static char big[300000];
    ERR(write(s, big, sizeof big), EMSGSIZE);
    EQ(write(s, big, 100000), 100000);
    EQ(recv(r, big, sizeof big, 0), 100000);
    OK(close(r));
    ERR(write(s, "x", 1), ECONNREFUSED);
    ERR(write(s, "x", 1), ENOTCONN);
    ERR(sendto(s, "x", 1, 0, (struct sockaddr *)&a, offsetof(struct sockaddr_un, sun_path) + 3),
        ECONNREFUSED);
}

static void dgram_limits(void)
{
    socklen_t len;
    struct sockaddr_un a = named("to", &len);
    int r = bound(SOCK_DGRAM, "to"), s = OK(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)), n = 0;
    char c;
    pid_t pid;

    OK(connect(s, (struct sockaddr *)&a, len));
    EQ(ready(s), POLLOUT);
    while (send(s, "x", 1, 0) == 1) {
        n++;
    }
    EQ(errno, EAGAIN);
    EQ(n, 11); /* net.unix.max_dgram_qlen, and one */
    EQ(ready(s), 0);
    CHILD(pid)
    {
        struct pollfd p = {s, POLLOUT, 0};
        EQ(poll(&p, 1, 10000), 1);
        OK(fcntl(s, F_SETFL, 0));
        EQ(send(s, "y", 1, 0), 1);
    }
    wait_state(pid, 'S');
    EQ(read(r, &c, 1), 1);
    wait_ok(pid);
    CHILD(pid)
    {
        EQ(send(s, "z", 1, 0), 1); /* blocks */
    }
    wait_state(pid, 'S');
    for (int i = 0; i < 12; i++) {
        EQ(read(r, &c, 1), 1);
    }
    EQ(c, 'z');
    wait_ok(pid);
    int other = bound(SOCK_DGRAM, "other"), third = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    a = named("other", &len);
    OK(connect(r, (struct sockaddr *)&a, len)); /* r talks to nobody else */
    a = named("to", &len);
    ERR(sendto(third, "x", 1, 0, (struct sockaddr *)&a, len), EPERM);
    OK(connect(other, (struct sockaddr *)&a, len));
    a.sun_family = AF_UNSPEC;
    OK(connect(other, (struct sockaddr *)&a, len));
    ERR(send(other, "x", 1, 0), ENOTCONN);
}

static void seqpackets(void)
{
    int s[2], l = bound(SOCK_SEQPACKET, "l"), c = OK(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    char b[16];

    handle(SIGPIPE, count_signal, 0, 0);
    pair_of(SOCK_SEQPACKET, s);
    EQ(write(s[0], "one", 3), 3);
    EQ(write(s[0], "two two", 7), 7);
    EQ(read(s[1], b, 2), 2);
    EQ(read(s[1], b, 16), 7);
    OK(close(s[1]));
    EQ(read(s[0], b, 16), 0);
    ERR(write(s[0], "x", 1), EPIPE);
    ERR(write(c, "x", 1), ENOTCONN);
    ERR(read(c, b, 1), ENOTCONN);
    OK(listen(l, 1));
    OK(try_connect(c, "l"));
    s[0] = OK(accept(l, NULL, NULL));
    EQ(send(c, "msg", 3, MSG_EOR), 3);
    EQ(ready(s[0]), POLLIN | POLLOUT);
    EQ(read(s[0], b, 16), 3);
    OK(shutdown(c, SHUT_WR));
    EQ(read(s[0], b, 16), 0);
}

static void vectors(void)
{
    int s[2];
    char a[4], b[8];
    struct iovec v[2] = {{"abc", 3}, {"defgh", 5}}, w[2] = {{a, 4}, {b, 8}};
    struct msghdr m = {.msg_iov = w, .msg_iovlen = 2};
    struct mmsghdr mm[3];

    pair_of(SOCK_DGRAM, s);
    EQ(writev(s[0], v, 2), 8);
    EQ(readv(s[1], w, 2), 8);
    CHECK(memcmp(a, "abcd", 4) == 0 && memcmp(b, "efgh", 4) == 0);
    memset(mm, 0, sizeof mm);
    for (int i = 0; i < 3; i++) {
        mm[i].msg_hdr.msg_iov = v;
        mm[i].msg_hdr.msg_iovlen = i % 2 + 1;
    }
    EQ(sendmmsg(s[0], mm, 3, 0), 3);
    EQ(mm[1].msg_len, 8);
    w[0].iov_len = 2;
    m.msg_iovlen = 1;
    EQ(recvmsg(s[1], &m, 0), 2);
    EQ(m.msg_flags, MSG_TRUNC);
    EQ(recvmsg(s[1], &m, MSG_TRUNC), 8);
    for (int i = 0; i < 3; i++) {
        mm[i].msg_hdr.msg_iov = w;
    }
    EQ(recvmmsg(s[1], mm, 3, MSG_WAITFORONE, NULL), 1);
    EQ(mm[0].msg_len, 2);
    m.msg_iovlen = 1025;
    ERR(sendmsg(s[0], &m, 0), EMSGSIZE);
    ERR(sendmsg(s[0], NULL, 0), EFAULT);
    struct timespec past = {0, 0};
    ERR(recvmmsg(s[1], mm, 3, MSG_DONTWAIT, &past), EAGAIN);
}

static void denied(void)
{
    int s = listener("l", 1), c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    pid_t pid;

    if (getuid() != 0) {
        SKIP("not root");
    }
    OK(chmod("l", 0755));
    OK(chmod(".", 0755));
    CHILD(pid)
    {
        OK(setuid(1000));
        ERR(try_connect(c, "l"), EACCES);
        socklen_t len;
        struct sockaddr_un a = named("mine", &len);
        ERR(bind(c, (struct sockaddr *)&a, len), EACCES);
    }
    wait_ok(pid);
    OK(close(s));
}

const struct test unix_tests[] = {
    {"arguments", arguments},
    {"stream", stream},
    {"closing", closing},
    {"half_close", half_close},
    {"names", names},
    {"abstract_names", abstract_names},
    {"connecting", connecting},
    {"backlog", backlog},
    {"accept_waits", accept_waits},
    {"blocking", blocking},
    {"full", full},
    {"interrupted", interrupted},
    {"reader_and_poller", reader_and_poller},
    {"dgrams", dgrams},
    {"dgram_limits", dgram_limits},
    {"seqpackets", seqpackets},
    {"vectors", vectors},
    {"denied", denied},
    {0},
};
