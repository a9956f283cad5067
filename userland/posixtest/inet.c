/*
 * TCP and UDP on the loopback addresses.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "test.h"

static struct sockaddr_in at(const char *ip, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

    inet_pton(AF_INET, ip, &a.sin_addr);
    return a;
}

static int port_of(int s)
{
    struct sockaddr_in6 a; /* the port is at the same place */
    socklen_t len = sizeof a;

    OK(getsockname(s, (struct sockaddr *)&a, &len));
    return ntohs(a.sin6_port);
}

static int try_bind(int s, const char *ip, int port)
{
    struct sockaddr_in a = at(ip, port);

    return bind(s, (struct sockaddr *)&a, sizeof a);
}

static int try_connect(int s, const char *ip, int port)
{
    struct sockaddr_in a = at(ip, port);

    return connect(s, (struct sockaddr *)&a, sizeof a);
}

static int bound(int type, const char *ip)
{
    int s = OK(socket(AF_INET, type, 0));

    OK(try_bind(s, ip, 0));
    return s;
}

static int listener(int backlog)
{
    int s = bound(SOCK_STREAM, "127.0.0.1");

    OK(listen(s, backlog));
    return s;
}

static int connected(int l)
{
    int s = OK(socket(AF_INET, SOCK_STREAM, 0));

    OK(try_connect(s, "127.0.0.1", port_of(l)));
    return s;
}

/* Two connected ends. */
static void tcp_pair(int s[2])
{
    int l = listener(1);

    s[0] = connected(l);
    s[1] = OK(accept(l, NULL, NULL));
    OK(close(l));
}

static short ready(int fd)
{
    struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};

    OK(poll(&p, 1, 0));
    return p.revents;
}

/* Waits for these events: what a system with a real network needs a moment for. */
static short wait_for(int fd, short events)
{
    struct pollfd p = {fd, events, 0};

    EQ(poll(&p, 1, 10000), 1);
    return ready(fd);
}

static int option(int s, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;

    OK(getsockopt(s, level, name, &value, &len));
    return value;
}

static void set(int s, int level, int name, int value)
{
    OK(setsockopt(s, level, name, &value, sizeof value));
}

static void arguments(void)
{
    int s = OK(socket(AF_INET, SOCK_STREAM, 0)), p[2];
    struct sockaddr_in a = at("127.0.0.1", 0);
    char b[8];

    ERR(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
    ERR(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
    ERR(socketpair(AF_INET, SOCK_STREAM, 0, p), EOPNOTSUPP);
    EQ(option(s, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    EQ(option(s, SOL_SOCKET, SO_DOMAIN), AF_INET);
    ERR(bind(s, (struct sockaddr *)&a, 8), EINVAL);
    a.sin_family = AF_UNIX;
    ERR(bind(s, (struct sockaddr *)&a, sizeof a), EAFNOSUPPORT);
    ERR(connect(s, (struct sockaddr *)&a, sizeof a), EAFNOSUPPORT);
    ERR(read(s, b, 1), ENOTCONN);
    handle(SIGPIPE, count_signal, 0, 0);
    ERR(write(s, b, 1), EPIPE);
    EQ(caught, 1);
    EQ(ready(s), POLLOUT | POLLHUP);
    ERR(shutdown(s, SHUT_RDWR), ENOTCONN);
    ERR(accept(s, NULL, NULL), EINVAL);
    ERR(try_bind(s, "203.0.113.7", 0), EADDRNOTAVAIL);
    OK(try_bind(s, "127.0.0.1", 0));
    CHECK(port_of(s) != 0);
    ERR(try_bind(s, "127.0.0.1", 0), EINVAL);
    ERR(setsockopt(s, SOL_SOCKET, 9999, b, 4), ENOPROTOOPT);
    ERR(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, b, 2), EINVAL);
    ERR(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, (void *)8, 4), EFAULT);
    s = OK(socket(AF_INET, SOCK_DGRAM, 0));
    EQ(option(s, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
    ERR(listen(s, 1), EOPNOTSUPP);
    EQ(ready(s), POLLOUT);
}

static void tcp(void)
{
    int l = listener(5), c = connected(l), s, n;
    struct sockaddr_in a, b;
    socklen_t len = sizeof a;
    char buf[32];

    EQ(wait_for(l, POLLIN), POLLIN);
    s = OK(accept(l, (struct sockaddr *)&a, &len));
    EQ(len, sizeof a);
    EQ(a.sin_family, AF_INET);
    EQ(ntohs(a.sin_port), port_of(c));
    EQ(ntohl(a.sin_addr.s_addr), INADDR_LOOPBACK);
    len = sizeof b;
    OK(getpeername(c, (struct sockaddr *)&b, &len));
    EQ(ntohs(b.sin_port), port_of(l));
    EQ(port_of(s), port_of(l));
    EQ(write(c, "hello", 5), 5);
    wait_for(s, POLLIN);
    EQ(ioctl(s, FIONREAD, &n), 0);
    EQ(n, 5);
    EQ(recv(s, buf, 2, MSG_PEEK), 2);
    EQ(recv(s, buf, 2, MSG_TRUNC), 2);
    len = 99;
    EQ(recvfrom(s, buf, 32, 0, (struct sockaddr *)&a, &len), 3);
    EQ(len, 0);
    EQ(send(s, "answer", 6, MSG_MORE), 6);
    set(s, IPPROTO_TCP, TCP_NODELAY, 1);
    EQ(recv(c, buf, 6, MSG_WAITALL), 6);
    ERR(recv(c, buf, 6, MSG_DONTWAIT), EAGAIN);
    ERR(try_connect(c, "127.0.0.1", port_of(l)), EISCONN);
}

static void refused(void)
{
    int l = listener(1), port = port_of(l), s = OK(socket(AF_INET, SOCK_STREAM, 0));
    struct pollfd p = {s, POLLOUT, 0};

    OK(close(l));
    ERR(try_connect(s, "127.0.0.1", port), ECONNREFUSED);
    EQ(option(s, SOL_SOCKET, SO_ERROR), 0);
    s = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    p.fd = s;
    ERR(try_connect(s, "127.0.0.1", port), EINPROGRESS);
    EQ(poll(&p, 1, 10000), 1);
    EQ(p.revents, POLLOUT | POLLERR | POLLHUP);
    EQ(option(s, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    EQ(option(s, SOL_SOCKET, SO_ERROR), 0);
}

static void nonblocking(void)
{
    int l = listener(1), s = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    struct pollfd p = {s, POLLOUT, 0};
    char c;

    ERR(try_connect(s, "127.0.0.1", port_of(l)), EINPROGRESS);
    EQ(poll(&p, 1, 10000), 1);
    EQ(p.revents, POLLOUT);
    EQ(option(s, SOL_SOCKET, SO_ERROR), 0);
    OK(try_connect(s, "127.0.0.1", port_of(l)));
    ERR(try_connect(s, "127.0.0.1", port_of(l)), EISCONN);
    ERR(read(s, &c, 1), EAGAIN);
    OK(fcntl(l, F_SETFL, O_NONBLOCK));
    OK(accept(l, NULL, NULL));
    ERR(accept(l, NULL, NULL), EAGAIN);
}

static void end_of_data(void)
{
    int s[2];
    char b[8];

    handle(SIGPIPE, count_signal, 0, 0);
    tcp_pair(s);
    EQ(write(s[0], "last", 4), 4);
    OK(shutdown(s[0], SHUT_WR));
    wait_for(s[1], POLLRDHUP);
    EQ(read(s[1], b, 8), 4);
    EQ(read(s[1], b, 8), 0);
    EQ(ready(s[1]), POLLIN | POLLOUT | POLLRDHUP);
    EQ(write(s[1], "back", 4), 4);
    EQ(read(s[0], b, 8), 4);
    ERR(write(s[0], "x", 1), EPIPE);
    EQ(caught, 1);
    OK(close(s[1]));
    wait_for(s[0], POLLHUP);
    EQ(read(s[0], b, 8), 0);
    ERR(shutdown(s[0], SHUT_WR), ENOTCONN);
    tcp_pair(s);
    OK(close(s[0]));
    wait_for(s[1], POLLIN);
    EQ(read(s[1], b, 8), 0);
    EQ(write(s[1], "x", 1), 1); /* nobody there: that comes back as a reset */
    wait_for(s[1], POLLHUP);
    EQ(read(s[1], b, 8), 0);
    ERR(write(s[1], "x", 1), EPIPE);
    EQ(caught, 2);
}

static void reset(void)
{
    int s[2], l;
    char b[8];
    struct linger hard = {1, 0};

    handle(SIGPIPE, count_signal, 0, 0);
    tcp_pair(s);
    EQ(write(s[1], "unread", 6), 6);
    wait_for(s[0], POLLIN);
    OK(close(s[0]));
    EQ(wait_for(s[1], POLLHUP), POLLIN | POLLOUT | POLLRDHUP | POLLHUP | POLLERR);
    ERR(read(s[1], b, 8), ECONNRESET);
    EQ(read(s[1], b, 8), 0);
    ERR(write(s[1], b, 8), EPIPE);
    EQ(caught, 1);
    tcp_pair(s);
    OK(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &hard, sizeof hard));
    OK(close(s[0]));
    wait_for(s[1], POLLHUP);
    ERR(write(s[1], b, 8), ECONNRESET);
    EQ(caught, 1);
    ERR(write(s[1], b, 8), EPIPE);
    EQ(caught, 2);
    l = listener(3);
    s[0] = connected(l);
    OK(close(l)); /* one was not accepted */
    wait_for(s[0], POLLHUP);
    ERR(read(s[0], b, 1), ECONNRESET);
}

static void ports(void)
{
    int a = listener(1), port = port_of(a), b = OK(socket(AF_INET, SOCK_STREAM, 0)), c;

    ERR(try_bind(b, "127.0.0.1", port), EADDRINUSE);
    ERR(try_bind(b, "0.0.0.0", port), EADDRINUSE);
    set(b, SOL_SOCKET, SO_REUSEADDR, 1);
    ERR(try_bind(b, "127.0.0.1", port), EADDRINUSE); /* the other listens */
    OK(try_bind(b, "127.0.0.2", port));              /* another address */
    c = OK(socket(AF_INET, SOCK_DGRAM, 0));
    OK(try_bind(c, "127.0.0.1", port)); /* another protocol */
    OK(close(b));
    connected(a);
    OK(accept(a, NULL, NULL));
    OK(close(a));
    a = OK(socket(AF_INET, SOCK_STREAM, 0));
    ERR(try_bind(a, "127.0.0.1", port), EADDRINUSE); /* connections of it are left */
    OK(close(a));
    a = OK(socket(AF_INET, SOCK_STREAM, 0));
    int d = OK(socket(AF_INET, SOCK_STREAM, 0));
    set(a, SOL_SOCKET, SO_REUSEADDR, 1);
    set(d, SOL_SOCKET, SO_REUSEADDR, 1);
    OK(try_bind(a, "127.0.0.1", 0));
    port = port_of(a);
    OK(try_bind(d, "127.0.0.1", port));
    OK(listen(a, 1));
    ERR(listen(d, 1), EADDRINUSE);
    a = OK(socket(AF_INET, SOCK_STREAM, 0));
    d = OK(socket(AF_INET, SOCK_STREAM, 0));
    set(a, SOL_SOCKET, SO_REUSEPORT, 1);
    OK(try_bind(a, "127.0.0.1", 0));
    port = port_of(a);
    ERR(try_bind(d, "127.0.0.1", port), EADDRINUSE); /* both must want it */
    set(d, SOL_SOCKET, SO_REUSEPORT, 1);
    OK(try_bind(d, "127.0.0.1", port));
    OK(listen(a, 5));
    OK(listen(d, 5));
    if (getuid() == 0) {
        pid_t pid;
        CHILD(pid)
        {
            OK(setuid(99));
            a = OK(socket(AF_INET, SOCK_STREAM, 0));
            ERR(try_bind(a, "127.0.0.1", 80), EACCES);
            set(a, SOL_SOCKET, SO_REUSEPORT, 1);
            ERR(try_bind(a, "127.0.0.1", port), EADDRINUSE); /* somebody else's */
        }
        wait_ok(pid);
    }
}

static void much(void)
{
    enum { N = 3000000 };
    int s[2];
    char *block = malloc(N);
    pid_t pid;

    tcp_pair(s);
    CHILD(pid)
    {
        OK(close(s[0]));
        for (size_t got = 0; got < N;) {
            int n = OK(read(s[1], block, 100000));
            CHECK(n > 0);
            for (int i = 0; i < n; i++) {
                CHECK(block[i] == (char)((got + i) * 13 >> 5));
            }
            got += n;
        }
        EQ(read(s[1], block, 1), 0);
    }
    OK(close(s[1]));
    for (int i = 0; i < N; i++) {
        block[i] = (char)(i * 13 >> 5);
    }
    EQ(write(s[0], block, N), N);
    OK(close(s[0]));
    wait_ok(pid);
}

static void udp(void)
{
    int r = bound(SOCK_DGRAM, "127.0.0.1"), s = OK(socket(AF_INET, SOCK_DGRAM, 0)), n;
    struct sockaddr_in to = at("127.0.0.1", port_of(r)), from;
    socklen_t len = sizeof from;
    char b[16];
    static char big[70000];

    ERR(send(s, "x", 1, 0), EDESTADDRREQ);
    EQ(sendto(s, "first", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
    EQ(sendto(s, "", 0, 0, (struct sockaddr *)&to, sizeof to), 0);
    wait_for(r, POLLIN);
    EQ(ioctl(r, FIONREAD, &n), 0);
    EQ(n, 5);
    EQ(recvfrom(r, b, 3, MSG_TRUNC, (struct sockaddr *)&from, &len), 5);
    EQ(len, sizeof from);
    EQ(ntohs(from.sin_port), port_of(s));
    EQ(ntohl(from.sin_addr.s_addr), INADDR_LOOPBACK);
    EQ(recv(r, b, 16, 0), 0);
    ERR(recv(r, b, 16, MSG_DONTWAIT), EAGAIN);
    ERR(sendto(s, big, sizeof big, 0, (struct sockaddr *)&to, sizeof to), EMSGSIZE);
    EQ(sendto(s, big, 65507, 0, (struct sockaddr *)&to, sizeof to), 65507);
    EQ(recv(r, big, sizeof big, 0), 65507);
    OK(connect(s, (struct sockaddr *)&to, sizeof to));
    EQ(send(s, "second", 6, 0), 6);
    EQ(recv(r, b, 16, 0), 6);
    int other = OK(socket(AF_INET, SOCK_DGRAM, 0));
    to = at("127.0.0.1", port_of(s));
    EQ(sendto(other, "stranger", 8, 0, (struct sockaddr *)&to, sizeof to), 8);
    EQ(sendto(r, "friend", 6, 0, (struct sockaddr *)&to, sizeof to), 6);
    EQ(recv(s, b, 16, 0), 6); /* only from whom it is connected to */
    OK(close(r));
    EQ(send(s, "x", 1, 0), 1);
    wait_for(s, POLLERR);
    ERR(send(s, "x", 1, 0), ECONNREFUSED);
    to.sin_family = AF_UNSPEC;
    OK(connect(s, (struct sockaddr *)&to, sizeof to));
    ERR(send(s, "x", 1, 0), EDESTADDRREQ);
    ERR(getpeername(s, (struct sockaddr *)&from, &len), ENOTCONN);
}

static void v6(void)
{
    int s = socket(AF_INET6, SOCK_STREAM, 0), c, port;
    struct sockaddr_in6 a = {.sin6_family = AF_INET6}, b;
    socklen_t len = sizeof b;

    if (s < 0) {
        SKIP("no IPv6");
    }
    a.sin6_addr = in6addr_loopback;
    if (bind(s, (struct sockaddr *)&a, sizeof a) < 0) {
        SKIP("no ::1");
    }
    OK(close(s));
    s = OK(socket(AF_INET6, SOCK_STREAM, 0));
    EQ(option(s, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    a.sin6_addr = in6addr_any;
    OK(bind(s, (struct sockaddr *)&a, sizeof a));
    OK(listen(s, 5));
    port = port_of(s);
    a.sin6_port = htons(port);
    a.sin6_addr = in6addr_loopback;
    c = OK(socket(AF_INET6, SOCK_STREAM, 0));
    OK(connect(c, (struct sockaddr *)&a, sizeof a));
    OK(accept(s, (struct sockaddr *)&b, &len));
    EQ(len, sizeof b);
    CHECK(IN6_IS_ADDR_LOOPBACK(&b.sin6_addr));
    c = OK(socket(AF_INET, SOCK_STREAM, 0));
    ERR(try_bind(c, "0.0.0.0", port), EADDRINUSE);
    OK(try_connect(c, "127.0.0.1", port)); /* both families */
    OK(accept(s, (struct sockaddr *)&b, &len));
    CHECK(IN6_IS_ADDR_V4MAPPED(&b.sin6_addr));
    c = OK(socket(AF_INET6, SOCK_STREAM, 0));
    set(c, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    a.sin6_port = 0;
    a.sin6_addr = in6addr_any;
    OK(bind(c, (struct sockaddr *)&a, sizeof a));
    ERR(setsockopt(c, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, 4), EINVAL);
    int d = OK(socket(AF_INET, SOCK_STREAM, 0));
    OK(try_bind(d, "0.0.0.0", port_of(c)));
}

static void interface(void)
{
    int s = OK(socket(AF_INET, SOCK_DGRAM, 0));
    struct ifreq r = {.ifr_name = "lo"};
    struct ifconf c;
    char room[4096];

    OK(ioctl(s, SIOCGIFINDEX, &r));
    EQ(r.ifr_ifindex, 1);
    EQ(if_nametoindex("lo"), 1);
    OK(ioctl(s, SIOCGIFFLAGS, &r));
    EQ(r.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING), IFF_UP | IFF_LOOPBACK | IFF_RUNNING);
    OK(ioctl(s, SIOCGIFADDR, &r));
    EQ(ntohl(((struct sockaddr_in *)&r.ifr_addr)->sin_addr.s_addr), INADDR_LOOPBACK);
    OK(ioctl(s, SIOCGIFNETMASK, &r));
    EQ(ntohl(((struct sockaddr_in *)&r.ifr_addr)->sin_addr.s_addr), 0xff000000);
    OK(ioctl(s, SIOCGIFMTU, &r));
    EQ(r.ifr_mtu, 65536);
    strcpy(r.ifr_name, "none0");
    ERR(ioctl(s, SIOCGIFFLAGS, &r), ENODEV);
    c.ifc_len = sizeof room;
    c.ifc_buf = room;
    OK(ioctl(s, SIOCGIFCONF, &c));
    CHECK(c.ifc_len >= (int)sizeof r);
    EQ(strcmp(((struct ifreq *)room)->ifr_name, "lo"), 0);
}

static void interfaces(void)
{
    struct ifaddrs *all, *i;
    bool v4 = false;

    OK(getifaddrs(&all));
    for (i = all; i; i = i->ifa_next) {
        if (strcmp(i->ifa_name, "lo") == 0 && i->ifa_addr && i->ifa_addr->sa_family == AF_INET) {
            struct sockaddr_in *a = (struct sockaddr_in *)i->ifa_addr;
            struct sockaddr_in *m = (struct sockaddr_in *)i->ifa_netmask;
            v4 = ntohl(a->sin_addr.s_addr) == INADDR_LOOPBACK;
            EQ(ntohl(m->sin_addr.s_addr), 0xff000000);
            CHECK(i->ifa_flags & IFF_LOOPBACK);
        }
    }
    CHECK(v4);
    freeifaddrs(all);
    int s = OK(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
    struct sockaddr_nl a = {.nl_family = AF_NETLINK};
    struct {
        struct nlmsghdr h;
        struct ifinfomsg m;
    } ask = {{sizeof ask, RTM_GETLINK, NLM_F_REQUEST, 7, 0}, {.ifi_index = 1}};
    struct {
        struct nlmsghdr h;
        char rest[4096];
    } r = {0};
    OK(bind(s, (struct sockaddr *)&a, sizeof a));
    EQ(send(s, &ask, sizeof ask, 0), sizeof ask);
    CHECK(OK(recv(s, &r, sizeof r, 0)) >= (int)sizeof ask);
    EQ(r.h.nlmsg_type, RTM_NEWLINK);
    EQ(r.h.nlmsg_seq, 7);
    ask.m.ifi_index = 4711;
    EQ(send(s, &ask, sizeof ask, 0), sizeof ask);
    OK(recv(s, &r, sizeof r, 0));
    EQ(r.h.nlmsg_type, NLMSG_ERROR);
    EQ(((struct nlmsgerr *)r.rest)->error, -ENODEV);
}

static void backlog(void)
{
    int l = listener(0), a = connected(l), s;
    pid_t pid;
    char c;

    /* Another one or two wait outside, or are taken in: whatever, all get their turn. */
    for (int i = 0; i < 2; i++) {
        CHILD(pid)
        {
            s = connected(l);
            EQ(write(s, "x", 1), 1);
            EQ(read(s, &c, 1), 1);
        }
        sleep_ms(20);
    }
    for (int i = 0; i < 3; i++) {
        s = OK(accept(l, NULL, NULL));
        EQ(write(s, "y", 1), 1);
    }
    EQ(read(a, &c, 1), 1);
    wait_ok(pid);
}

const struct test inet_tests[] = {
    {"arguments", arguments},
    {"tcp", tcp},
    {"refused", refused},
    {"nonblocking", nonblocking},
    {"end_of_data", end_of_data},
    {"reset", reset},
    {"ports", ports},
    {"much", much},
    {"udp", udp},
    {"v6", v6},
    {"interface", interface},
    {"interfaces", interfaces},
    {"backlog", backlog},
    {0},
};
