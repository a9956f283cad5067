/*
 * Sockets: names, connections, data, descriptors in flight; every allocation failing in turn.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c posix/net/?*.c
 */
#include "host/host.h"
#include "net/net.h"

#define STREAM ABI_SOCK_STREAM
#define DGRAM ABI_SOCK_DGRAM
#define SEQPACKET ABI_SOCK_SEQPACKET

static long s0, s1;

static long t_pair(unsigned type)
{
    int32_t *fds = host_room(8);
    long err = CALL_(socketpair, ABI_AF_UNIX, type, 0, A(fds));
    s0 = fds[0];
    s1 = fds[1];
    return err;
}

static void close_pair(void)
{
    assert_ok(t_close(s0));
    assert_ok(t_close(s1));
}

static long t_socket(unsigned family, unsigned type)
{
    return CALL_(socket, family, type, 0);
}

static uint64_t unix_name(const char *path, uint64_t *len)
{
    char *a = host_room(110);
    memset(a, 0, 110);
    a[0] = ABI_AF_UNIX;
    memcpy(a + 2, path, strlen(path) + 1);
    *len = 2 + strlen(path) + 1;
    return A(a);
}

static long t_bind(long s, const char *path)
{
    uint64_t len, a = unix_name(path, &len);
    return CALL_(bind, (uint64_t)s, a, len);
}

static long t_connect(long s, const char *path)
{
    uint64_t len, a = unix_name(path, &len);
    return CALL_(connect, (uint64_t)s, a, len);
}

static uint64_t inet_name(uint8_t last, uint16_t port)
{
    struct abi_sockaddr_in *a = host_room(sizeof(*a));
    *a = (struct abi_sockaddr_in){ABI_AF_INET, net16(port), {127, 0, 0, last}, {0}};
    return A(a);
}

static unsigned t_poll(long fd)
{
    struct abi_pollfd *p = host_room(sizeof(*p));
    uint64_t *zero = host_room(16);
    zero[0] = zero[1] = 0;
    *p = (struct abi_pollfd){(int32_t)fd, 0x2fff, 0};
    CALL_(ppoll, A(p), 1, A(zero), 0);
    return (uint16_t)p->revents;
}

/* ---- messages with something attached ---- */

struct control {
    struct abi_cmsghdr h;
    int32_t fd[6];
};

static long t_sendmsg(long s, const char *data, const int32_t *fds, unsigned n)
{
    struct abi_msghdr *m = host_room(sizeof(*m));
    struct abi_iovec *v = host_room(sizeof(*v));
    struct control *c = host_room(sizeof(*c));
    memset(m, 0, sizeof(*m));
    *v = (struct abi_iovec){U(data), strlen(data)};
    m->iov = A(v);
    m->iovlen = 1;
    if (n > 0) {
        c->h = (struct abi_cmsghdr){sizeof(c->h) + n * 4, ABI_SOL_SOCKET, ABI_SCM_RIGHTS};
        memcpy(c->fd, fds, n * 4);
        m->control = A(c);
        m->controllen = sizeof(c->h) + n * 4;
    }
    return CALL_(sendmsg, (uint64_t)s, A(m), ABI_MSG_NOSIGNAL);
}

static struct abi_msghdr *received;
static struct control *got;

static long t_recvmsg(long s, size_t size, unsigned flags)
{
    struct abi_msghdr *m = host_room(sizeof(*m));
    struct abi_iovec *v = host_room(sizeof(*v));
    got = host_room(sizeof(*got));
    memset(got, 0, sizeof(*got));
    memset(m, 0, sizeof(*m));
    *v = (struct abi_iovec){A(host_room(size)), size};
    m->iov = A(v);
    m->iovlen = 1;
    m->control = A(got);
    m->controllen = sizeof(*got);
    received = m;
    return CALL_(recvmsg, (uint64_t)s, A(m), flags | ABI_MSG_DONTWAIT);
}

/* ---- tests ---- */

static void streams(void **state)
{
    char *buf = host_room(300000);
    mb_random(buf, 300000);
    assert_ok(t_pair(STREAM));
    assert_int_equal(t_write(s0, "hello"), 5);
    assert_string_equal(t_read(s1, 2), "he");
    assert_string_equal(t_read(s1, 9), "llo");
    assert_int_equal(CALL_(write, (uint64_t)s0, HOST_BAD, 5), -EFAULT);
    t_write(s0, "x");
    assert_int_equal(CALL_(read, (uint64_t)s1, HOST_BAD, 5), -EFAULT);
    assert_string_equal(t_read(s1, 9), "x");
    /* whole and in order, over pages, through a limit */
    char *back = host_room(300000);
    size_t sent = 0, seen = 0;
    while (seen < 300000) {
        long n = CALL_(sendto, (uint64_t)s0, A(buf + sent), 300000 - sent, ABI_MSG_DONTWAIT, 0, 0);
        if (n > 0) {
            sent += (size_t)n;
        }
        size_t some = 777 + seen % 9999;
        n = CALL_(recvfrom, (uint64_t)s1, A(back + seen), some, ABI_MSG_DONTWAIT, 0, 0);
        if (n > 0) {
            seen += (size_t)n;
        }
        assert_true(sent - seen <= SOCK_BUFFER + 32768);
    }
    assert_memory_equal(buf, back, 300000);
    t_write(s0, "rest");
    assert_ok(t_close(s0));
    assert_int_equal(t_poll(s1) & (ABI_POLLIN | ABI_POLLHUP | ABI_POLLRDHUP), 0x2011);
    assert_string_equal(t_read(s1, 9), "rest");
    assert_string_equal(t_read(s1, 9), "");
    assert_int_equal(t_write(s1, "x"), -EPIPE);
    assert_int_equal(host_me->signals, 1 << ABI_SIGPIPE);
    assert_ok(t_close(s1));
}

static void connections(void **state)
{
    long l = t_socket(ABI_AF_UNIX, STREAM), c = t_socket(ABI_AF_UNIX, STREAM);
    assert_ok(t_bind(l, "/tmp/l"));
    assert_int_equal(t_bind(c, "/tmp/l"), -EADDRINUSE);
    assert_int_equal(t_connect(c, "/tmp/l"), -ECONNREFUSED);
    assert_ok(CALL_(listen, (uint64_t)l, 0));
    assert_ok(t_connect(c, "/tmp/l"));
    t_write(c, "early");
    long d = t_socket(ABI_AF_UNIX, STREAM | O_NONBLOCK);
    assert_int_equal(t_connect(d, "/tmp/l"), -EAGAIN);
    long s = CALL_(accept, (uint64_t)l, 0, 0);
    assert_string_equal(t_read(s, 9), "early");
    assert_ok(t_connect(d, "/tmp/l"));
    as_user(5);
    long e = t_socket(ABI_AF_UNIX, STREAM);
    assert_int_equal(t_connect(e, "/tmp/l"), -EACCES);
    as_user(0);
    assert_ok(t_close(e));
    assert_ok(t_close(l)); /* d was not accepted */
    assert_int_equal(CALL_(read, (uint64_t)d, A(host_room(1)), 1), -ECONNRESET);
    assert_ok(t_close(d));
    assert_ok(t_close(c));
    assert_ok(t_close(s));
    assert_ok(t_unlink("/tmp/l"));
}

/* The socket is closed while its file is in a queue, which nobody can reach: it goes. */
static void cycles(void **state)
{
    static const unsigned types[] = {STREAM, DGRAM, SEQPACKET};
    for (unsigned i = 0; i < 3; i++) {
        assert_ok(t_pair(types[i]));
        int32_t both[2] = {(int32_t)s0, (int32_t)s1};
        assert_int_equal(t_sendmsg(s0, "x", both, 2), 1);
        assert_int_equal(t_sendmsg(s1, "x", both, 2), 1);
        close_pair();
        assert_int_equal(unix_inflight, 0);
    }
    /* in the queue of one that was never accepted, of a listener that is in its queue */
    long l = t_socket(ABI_AF_UNIX, STREAM), c = t_socket(ABI_AF_UNIX, STREAM);
    assert_ok(t_bind(l, "/tmp/l"));
    assert_ok(CALL_(listen, (uint64_t)l, 1));
    assert_ok(t_connect(c, "/tmp/l"));
    int32_t fds[2] = {(int32_t)l, (int32_t)c};
    assert_int_equal(t_sendmsg(c, "x", fds, 2), 1);
    assert_ok(t_close(c));
    assert_int_equal(unix_inflight, 2);
    assert_ok(t_close(l));
    assert_int_equal(unix_inflight, 0);
    assert_ok(t_unlink("/tmp/l"));
    /* one that is still reachable stays whole */
    long a = (t_pair(STREAM), s0), b = s1;
    assert_ok(t_pair(STREAM));
    int32_t inner[2] = {(int32_t)s0, (int32_t)s1};
    assert_int_equal(t_sendmsg(s0, "in", inner, 2), 2);
    assert_int_equal(t_sendmsg((int)a, "out", inner, 2), 3);
    close_pair();
    assert_int_equal(t_recvmsg(b, 9, 0), 3);
    assert_int_equal(got->h.len, 24);
    long in = got->fd[1], in0 = got->fd[0];
    assert_int_equal(t_recvmsg(in, 9, 0), 2);
    assert_ok(t_close(got->fd[0]));
    assert_ok(t_close(got->fd[1]));
    assert_ok(t_close(in));
    assert_ok(t_close(in0));
    assert_ok(t_close(a));
    assert_ok(t_close(b));
}

/* As deep as one likes: nothing recurses. */
static void chain(void **state)
{
    assert_ok(t_pair(STREAM));
    long last = s0, other = s1;
    for (int i = 0; i < 3000; i++) {
        size_t used = host_used;
        int32_t fd = (int32_t)last;
        assert_ok(t_pair(STREAM));
        assert_int_equal(t_sendmsg(s0, "x", &fd, 1), 1);
        assert_ok(t_close(last));
        assert_ok(t_close(s0));
        last = s1;
        host_used = used;
    }
    assert_ok(t_close(last));
    assert_string_equal(t_read(other, 1), ""); /* the innermost is closed */
    assert_ok(t_close(other));
}

static void too_many(void **state)
{
    assert_ok(t_pair(DGRAM));
    int32_t fds[4] = {(int32_t)s0, (int32_t)s0, (int32_t)s0, (int32_t)s0};
    as_user(7);
    current->proc->rlimit[ABI_RLIMIT_NOFILE][0] = 20;
    long n = 0, err;
    while ((err = t_sendmsg(s0, "x", fds, 4)) == 1) {
        n++;
    }
    assert_int_equal(err, -ETOOMANYREFS);
    assert_int_equal(n, 6);
    current->proc->rlimit[ABI_RLIMIT_NOFILE][0] = 1024;
    as_user(0);
    close_pair();
}

/* ---- sleeping ---- */

static void read_one(void *arg)
{
    void *buf = host_arena + HOST_ARENA - 64;
    host_me->result = CALL_(read, (uint64_t)(long)arg, A(buf), 16);
}

static void poll_in(void *arg)
{
    struct abi_pollfd *p = (void *)(host_arena + HOST_ARENA - 128);
    *p = (struct abi_pollfd){(int32_t)(long)arg, ABI_POLLIN, 0};
    host_me->result = CALL_(ppoll, A(p), 1, 0, 0);
}

static void sleepers(void **state)
{
    assert_ok(t_pair(STREAM));
    unsigned parks = host_parks;
    struct host_thread *t = host_run(true, read_one, (void *)s1);
    host_wait_parked(parks);
    t_write(s0, "abc");
    assert_int_equal(host_join(t), 3);
    parks = host_parks;
    t = host_run(true, read_one, (void *)s1);
    host_wait_parked(parks);
    host_interrupt(t);
    assert_int_equal(host_join(t), -ERESTARTSYS);
    parks = host_parks;
    t = host_run(true, poll_in, (void *)s1);
    host_wait_parked(parks);
    assert_ok(CALL_(shutdown, (uint64_t)s0, ABI_SHUT_WR));
    assert_int_equal(host_join(t), 1);
    close_pair();
    /* the descriptor goes while a thread reads; the other end ends it */
    assert_ok(t_pair(SEQPACKET));
    parks = host_parks;
    t = host_run(true, read_one, (void *)s1);
    host_wait_parked(parks);
    assert_ok(t_close(s1));
    assert_false(t->done);
    assert_ok(t_close(s0));
    assert_int_equal(host_join(t), 0);
}

/* ---- internet ---- */

static long tcp_listener(uint16_t port)
{
    long l = t_socket(ABI_AF_INET, STREAM);
    assert_ok(CALL_(bind, (uint64_t)l, inet_name(1, port), 16));
    assert_ok(CALL_(listen, (uint64_t)l, 0));
    return l;
}

static void tcp(void **state)
{
    long l = tcp_listener(5000), c[3];
    for (int i = 0; i < 3; i++) {
        c[i] = t_socket(ABI_AF_INET, STREAM | O_NONBLOCK);
        assert_int_equal(CALL_(connect, (uint64_t)c[i], inet_name(1, 5000), 16), -EINPROGRESS);
    }
    /* one in the line, two outside */
    assert_int_equal(t_poll(c[0]) & ABI_POLLOUT, ABI_POLLOUT);
    assert_int_equal(t_poll(c[1]), 0);
    assert_int_equal(CALL_(connect, (uint64_t)c[1], inet_name(1, 5000), 16), -EALREADY);
    long s = CALL_(accept, (uint64_t)l, 0, 0);
    assert_int_equal(t_poll(c[1]) & ABI_POLLOUT, ABI_POLLOUT);
    assert_ok(CALL_(connect, (uint64_t)c[1], inet_name(1, 5000), 16));
    assert_int_equal(CALL_(connect, (uint64_t)c[1], inet_name(1, 5000), 16), -EISCONN);
    assert_int_equal(t_poll(c[2]), 0);
    assert_ok(t_close(c[2])); /* out of the line */
    t_write(s, "data");
    assert_string_equal(t_read(c[0], 9), "data");
    assert_ok(t_close(l));
    assert_int_equal(CALL_(read, (uint64_t)c[1], A(host_room(1)), 1), -ECONNRESET);
    assert_int_equal(CALL_(connect, (uint64_t)c[1], inet_name(1, 5000), 16), -EISCONN);
    assert_ok(t_close(c[0]));
    assert_ok(t_close(c[1]));
    assert_ok(t_close(s));
}

static void udp_queue(void **state)
{
    long r = t_socket(ABI_AF_INET, DGRAM), s = t_socket(ABI_AF_INET, DGRAM);
    char *buf = host_room(60000);
    assert_ok(CALL_(bind, (uint64_t)r, inet_name(1, 5001), 16));
    for (int i = 0; i < 20; i++) { /* more than fits: lost, not an error, not kept */
        assert_int_equal(CALL_(sendto, (uint64_t)s, A(buf), 60000, 0, inet_name(1, 5001), 16),
                         60000);
    }
    int n = 0;
    while (CALL_(recvfrom, (uint64_t)r, A(buf), 60000, ABI_MSG_DONTWAIT, 0, 0) == 60000) {
        n++;
    }
    assert_int_equal(n, 3);
    assert_int_equal(CALL_(sendto, (uint64_t)s, A(buf), 1, 0, inet_name(1, 9), 16), 1);
    assert_ok(t_close(r));
    assert_ok(t_close(s));
}

/* ---- no memory ---- */

static void everything(void)
{
    if (t_pair(STREAM) == 0) {
        int32_t fd = (int32_t)s1;
        t_write(s0, "abc");
        t_sendmsg(s0, "def", &fd, 1);
        if (t_recvmsg(s1, 2, ABI_MSG_PEEK) > 0 && received->controllen > 0) {
            t_close(got->fd[0]);
        }
        while (t_recvmsg(s1, 9, 0) > 0) {
            if (received->controllen > 0) {
                t_close(got->fd[0]);
            }
        }
        close_pair();
    }
    if (t_pair(DGRAM) == 0) {
        int32_t fds[2] = {(int32_t)s0, (int32_t)s1};
        t_sendmsg(s0, "def", fds, 2);
        close_pair();
    }
    long l = t_socket(ABI_AF_UNIX, STREAM), c = t_socket(ABI_AF_UNIX, STREAM | O_NONBLOCK);
    if (l >= 0 && c >= 0 && t_bind(l, "/tmp/l") == 0) {
        CALL_(listen, (uint64_t)l, 1);
        if (t_connect(c, "/tmp/l") == 0) {
            t_write(c, "x");
            long s = CALL_(accept, (uint64_t)l, 0, 0);
            if (s >= 0) {
                t_close(s);
            }
        }
    }
    t_close(l);
    t_close(c);
    t_unlink("/tmp/l");
    l = t_socket(ABI_AF_INET, STREAM);
    c = t_socket(ABI_AF_INET, STREAM | O_NONBLOCK);
    if (l >= 0 && c >= 0) {
        CALL_(bind, (uint64_t)l, inet_name(1, 5002), 16);
        CALL_(listen, (uint64_t)l, 1);
        CALL_(connect, (uint64_t)c, inet_name(1, 5002), 16);
        CALL_(sendto, (uint64_t)c, U("x"), 1, ABI_MSG_NOSIGNAL, 0, 0);
    }
    t_close(l);
    t_close(c);
    l = t_socket(ABI_AF_INET, DGRAM);
    if (l >= 0 && CALL_(bind, (uint64_t)l, inet_name(1, 5003), 16) == 0) {
        CALL_(sendto, (uint64_t)l, U("x"), 1, 0, inet_name(1, 5003), 16);
    }
    t_close(l);
    l = t_socket(ABI_AF_NETLINK, DGRAM);
    uint32_t *ask = host_room(20);
    memcpy(ask, (uint32_t[5]){20, 18 | 0x301u << 16, 1, 0, 0}, 20); /* RTM_GETLINK, a dump */
    CALL_(sendto, (uint64_t)l, A(ask), 20, 0, 0, 0);
    t_close(l);
}

static void no_memory(void **state)
{
    struct host_counts before = host_counts();
    long n = 0;
    do {
        host_used = 0;
        host_fail_after(n++);
        everything();
        struct host_counts now = host_counts();
        assert_memory_equal(&now, &before, sizeof(now));
        assert_int_equal(unix_inflight, 0);
        assert_int_equal(host_user.inflight, 0);
    } while (host_failed);
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(streams),  T(connections), T(cycles),    T(chain),     T(too_many),
        T(sleepers), T(tcp),         T(udp_queue), T(no_memory),
    };
    return HOST_RUN(tests);
}
