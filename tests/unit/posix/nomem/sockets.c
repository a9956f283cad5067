/* Sockets of all families, and descriptors in flight. */
#include "scenario.h"

#include "net/abi.h"

#define STREAM ABI_SOCK_STREAM
#define DGRAM ABI_SOCK_DGRAM

static long s0, s1;

static void pair(unsigned type)
{
    uint64_t at = room(8);
    is(sc(socketpair, ABI_AF_UNIX, type, 0, at), 0);
    s0 = get32(at);
    s1 = get32(at + 4);
}

static void close_pair(void)
{
    shut(s0);
    shut(s1);
}

/* struct msghdr with one part of n bytes and one descriptor (-1: room for some). */
static uint64_t message(uint64_t buf, size_t n, long fd)
{
    uint64_t control = room(64);
    uint32_t head[6] = {20, 0, 1, 1, (uint32_t)fd, 0}; /* SOL_SOCKET, SCM_RIGHTS */
    put(control, head, sizeof(head));
    return words(7, 0ul, 0ul, words(2, buf, (uint64_t)n), 1ul, control, fd < 0 ? 64ul : 24ul, 0ul);
}

static void in_flight(void)
{
    static const unsigned types[] = {STREAM, DGRAM, ABI_SOCK_SEQPACKET};
    uint64_t buf = room(64);
    for (unsigned i = 0; i < 3; i++) {
        pair(types[i]);
        long fd = open_at("/dev/null", O_RDONLY);
        is(sc(sendmsg, (uint64_t)s0, message(buf, 5, fd), 0), 5);
        is(sc(sendmsg, (uint64_t)s0, message(buf, 5, s1), 0), 5); /* itself */
        uint64_t m = message(buf, 64, -1);
        is(sc(recvmsg, (uint64_t)s1, m, 0), 5);
        if (get64(m + 40) >= 20) {
            shut(get32(get64(m + 32) + 16));
        } else {
            is(strained(), true);
        }
        shut(fd);
        close_pair(); /* with a cycle in the queue */
    }
}

static void pairs_talk(void)
{
    uint64_t buf = room(20000), vec = room(2 * 64);
    pair(STREAM);
    long n = ok(sc(sendto, (uint64_t)s0, buf, 20000, 0, 0, 0));
    while (n > 0) {
        n -= ok(sc(recvfrom, (uint64_t)s1, buf, 20000, 0, 0, 0));
    }
    is(sc(setsockopt, (uint64_t)s0, 1, 7, words(1, 5000ul), 4), 0); /* SO_SNDBUF */
    is(sc(getsockopt, (uint64_t)s0, 1, 7, buf, words(1, 4ul)), 0);
    is(sc(shutdown, (uint64_t)s0, 1), 0);
    is(sc(read, (uint64_t)s1, buf, 4), 0);
    close_pair();
    pair(DGRAM | O_NONBLOCK);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t m[8] = {0, 0, words(2, buf, 100ul), 1};
        put(vec + i * 64, m, 64);
    }
    long sent = ok(sc(sendmmsg, (uint64_t)s0, vec, 2, 0));
    is(sc(recvmmsg, (uint64_t)s1, vec, 2, 0, 0), sent);
    close_pair();
}

static uint64_t unix_name(const char *path)
{
    uint64_t at = room(110);
    put(at, &(uint16_t){ABI_AF_UNIX}, 2);
    put(at + 2, path, strlen(path) + 1);
    return at;
}

static uint64_t inet_name(unsigned port)
{
    uint8_t name[16] = {ABI_AF_INET, 0, (uint8_t)(port >> 8), (uint8_t)port, 127, 0, 0, 1};
    uint64_t at = room(28);
    put(at, name, 16);
    return at;
}

static uint64_t inet6_name(unsigned port)
{
    uint8_t name[28] = {ABI_AF_INET6, 0, (uint8_t)(port >> 8), (uint8_t)port, [23] = 1};
    uint64_t at = room(28);
    put(at, name, 28);
    return at;
}

/* A server and a client of it that is a process of its own. */
static uint64_t name;
static unsigned name_len, family;

static void client(void)
{
    long fd = ok(sc(socket, family, STREAM, 0));
    is(sc(connect, (uint64_t)fd, name, name_len), 0);
    write_all(fd, text("question"), 8);
    uint64_t buf = room(16);
    is(sc(read, (uint64_t)fd, buf, 16), 6);
    is(sc(getpeername, (uint64_t)fd, room(110), words(1, 110ul)), 0);
}

static void serve(unsigned af, uint64_t at, unsigned len)
{
    family = af;
    name = at;
    name_len = len;
    long fd = ok(sc(socket, af, STREAM, 0));
    is(sc(setsockopt, (uint64_t)fd, 1, 2, words(1, 1ul), 4), 0); /* SO_REUSEADDR */
    is(sc(bind, (uint64_t)fd, name, name_len), 0);
    is(sc(listen, (uint64_t)fd, 5), 0);
    is(sc(getsockname, (uint64_t)fd, room(110), words(1, 110ul)), 0);
    for (int i = 0; i < 2; i++) {
        long pid = start(SIGCHLD, client);
        uint64_t peer = room(110), peer_len = words(1, 110ul), buf = room(64);
        long c = i == 0 ? ok(sc(accept, (uint64_t)fd, peer, peer_len))
                        : ok(sc(accept4, (uint64_t)fd, 0, 0, O_CLOEXEC));
        size_t n = 0;
        while (n < 8) {
            n += (size_t)ok(sc(recvfrom, (uint64_t)c, buf, 64, 0, 0, 0));
        }
        write_all(c, text("answer"), 6);
        is(end_of(pid), 0);
        shut(c);
    }
    shut(fd);
}

static void local_server(void)
{
    serve(ABI_AF_UNIX, unix_name("sock"), 2 + 5);
    gone("sock");
}

static void tcp_server(void)
{
    serve(ABI_AF_INET, inet_name(7001), 16);
}

static void tcp6_server(void)
{
    serve(ABI_AF_INET6, inet6_name(7002), 28);
}

static void datagrams(void)
{
    long a = ok(sc(socket, ABI_AF_INET, DGRAM, 0)), b = ok(sc(socket, ABI_AF_INET, DGRAM, 0));
    uint64_t to = inet_name(7003), buf = room(128);
    is(sc(bind, (uint64_t)a, to, 16), 0);
    is(sc(sendto, (uint64_t)b, buf, 100, 0, to, 16), 100);
    is(sc(recvfrom, (uint64_t)a, buf, 128, 0, room(16), words(1, 16ul)), 100);
    is(sc(connect, (uint64_t)b, to, 16), 0);
    shut(a);
    shut(b);
    a = ok(sc(socket, ABI_AF_UNIX, DGRAM, 0));
    b = ok(sc(socket, ABI_AF_UNIX, DGRAM, 0));
    is(sc(bind, (uint64_t)a, unix_name("dg"), 5), 0);
    is(sc(connect, (uint64_t)b, unix_name("dg"), 5), 0);
    is(sc(sendto, (uint64_t)b, buf, 100, 0, 0, 0), 100);
    is(sc(bind, (uint64_t)b, unix_name(""), 2), 0); /* a name of the kernel's */
    shut(b);
    shut(a);
    gone("dg");
}

static void netlink(void)
{
    long fd = ok(sc(socket, 16, 3, 0));                    /* AF_NETLINK, SOCK_RAW, NETLINK_ROUTE */
    uint32_t request[8] = {20, 18 | 0x301 << 16, 1, 0, 0}; /* RTM_GETLINK, REQUEST | DUMP */
    uint64_t at = room(32), buf = room(4096);
    put(at, request, 20);
    is(sc(sendto, (uint64_t)fd, at, 20, 0, 0, 0), 20);
    long n = sc(recvfrom, (uint64_t)fd, buf, 4096, 0, 0, 0);
    is(n > 0 || (n == -ENOBUFS && strained()), true); /* the answer was lost */
    shut(fd);
}

const struct scenario scenarios_sockets[] = {
    {"in_flight", in_flight, false},       {"pairs_talk", pairs_talk, false},
    {"local_server", local_server, false}, {"tcp_server", tcp_server, false},
    {"tcp6_server", tcp6_server, false},   {"datagrams", datagrams, false},
    {"netlink", netlink, false},           {NULL, NULL, false},
};
