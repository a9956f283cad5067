/* UDP between sockets of this machine, and the making of internet sockets. */
#include "net/net.h"

#include <string.h>

#define PAYLOAD_MAX 65507u

struct sock *inet_all;

static int inet_create(unsigned family, unsigned type, unsigned protocol, struct sock **out)
{
    enum { TCP = 6, UDP = 17, PROTOCOLS = 263 };
    if (protocol >= PROTOCOLS) {
        return -EINVAL;
    }
    const struct sock_ops *ops;
    unsigned own;
    switch (type) {
    case ABI_SOCK_STREAM:
        ops = &tcp_ops;
        own = TCP;
        break;
    case ABI_SOCK_DGRAM:
        ops = &udp_ops;
        own = UDP;
        break;
    case ABI_SOCK_RAW:
        return !capable(CAP_NET_RAW) ? -EPERM : -EPROTONOSUPPORT;
    default:
        return -ESOCKTNOSUPPORT;
    }
    if (protocol != 0 && protocol != own) {
        return -EPROTONOSUPPORT;
    }
    struct sock *sk = sock_make(ops, &inet_all, family, type, own);
    if (sk == NULL) {
        return -ENOBUFS;
    }
    inet_any(family, &sk->in.self);
    inet_any(family, &sk->in.peer);
    *out = sk;
    return 0;
}

const struct family inet_family = {.family = ABI_AF_INET, .create = inet_create};
const struct family inet6_family = {.family = ABI_AF_INET6, .create = inet_create};

static int udp_connect(struct sock *sk, const struct sock_name *name, bool nonblock)
{
    struct inet_end to;
    if (name->family == ABI_AF_UNSPEC) {
        sk->in.peer.port = 0;
        sk->state = SOCK_CLOSED;
        if (sk->in.chosen) {
            port_unbind(sk);
            inet_any(sk->family, &sk->in.self);
            sk->in.chosen = false;
        }
        return 0;
    }
    int err = inet_from_name(sk, name, &to);
    if (err == 0) {
        err = inet_route(sk, &to);
    }
    if (err < 0) {
        return err;
    }
    bool any = inet_is_any(&sk->in.self);
    if (!sk->in.bound) {
        err = port_bind(sk, 0);
        if (err < 0) {
            return err == -EADDRINUSE ? -EAGAIN : err;
        }
        sk->in.chosen = true;
    }
    if (any) {
        uint16_t port = sk->in.self.port;
        inet_loopback(inet_is_v4(&to), &sk->in.self);
        sk->in.self.port = port;
    }
    sk->in.peer = to;
    sk->state = SOCK_CONNECTED;
    return 0;
}

/* Where a datagram goes and what it comes from. */
static int udp_ends(struct sock *sk, const struct sock_name *name, struct inet_end *from,
                    struct inet_end *to)
{
    if (name != NULL && name->family != ABI_AF_UNSPEC) {
        int err = inet_from_name(sk, name, to);
        if (err < 0) {
            return err;
        }
        if (to->port == 0) {
            return -EINVAL;
        }
        err = inet_route(sk, to);
        if (err < 0) {
            return err;
        }
    } else if (sk->in.peer.port == 0) {
        return -EDESTADDRREQ;
    } else {
        *to = sk->in.peer;
    }
    if (!sk->in.bound) {
        int err = port_bind(sk, 0);
        if (err < 0) {
            return err == -EADDRINUSE ? -EAGAIN : err;
        }
    }
    *from = sk->in.self;
    if (inet_is_any(from)) {
        inet_loopback(inet_is_v4(to), from);
        from->port = sk->in.self.port;
    }
    return 0;
}

static long udp_send(struct sock *sk, struct iobuf *b, unsigned flags, struct sock_extra *x)
{
    struct inet_end from, to;
    size_t n = b->len;
    int err;
    if (n > PAYLOAD_MAX) {
        return -EMSGSIZE;
    }
    if ((flags & ABI_MSG_OOB) != 0) {
        return -EOPNOTSUPP;
    }
    err = udp_ends(sk, x != NULL ? x->name : NULL, &from, &to);
    if (err < 0) {
        return err;
    }
    if (sk->err != 0) {
        return sock_error(sk);
    }
    if ((sk->shutdown & SHUT_OUT) != 0) {
        return sock_broken(flags, -EPIPE);
    }
    struct packet *p = packet_make(b, n, &err);
    if (p == NULL) {
        return err;
    }
    p->source = from;
    net_counted.packets++;
    net_counted.bytes += n + 28; /* with its headers */
    struct sock *r = port_find_udp(&from, &to);
    if (r == NULL) {
        if (sk->in.peer.port != 0) { /* it is told: port unreachable */
            sk->err = ECONNREFUSED;
            sock_wake_all(sk);
        }
        packet_free(p);
    } else if ((r->shutdown & SHUT_IN) != 0 || r->packets.bytes + p->charge > r->rcvbuf) {
        packet_free(p); /* lost, as datagrams are */
    } else {
        packet_queue(r, p, NULL);
    }
    return (long)n;
}

static int udp_shutdown(struct sock *sk, unsigned how)
{
    sk->shutdown |= (uint8_t)how;
    sock_wake_all(sk);
    return sk->state == SOCK_CONNECTED ? 0 : -ENOTCONN;
}

static unsigned udp_poll(struct sock *sk)
{
    unsigned events = ABI_POLLOUT | ABI_POLLWRNORM | ABI_POLLWRBAND;
    if (sk->err != 0) {
        events |= ABI_POLLERR;
    }
    if ((sk->shutdown & SHUT_IN) != 0) {
        events |= ABI_POLLRDHUP | ABI_POLLIN | ABI_POLLRDNORM;
    }
    if (sk->shutdown == SHUT_BOTH) {
        events |= ABI_POLLHUP;
    }
    if (sk->packets.first != NULL) {
        events |= ABI_POLLIN | ABI_POLLRDNORM;
    }
    return events;
}

static long udp_ioctl(struct sock *sk, uint64_t cmd, uint64_t arg)
{
    int32_t n = 0;
    switch ((uint32_t)cmd) {
    case ABI_SIOCINQ:
        n = sk->packets.first != NULL ? (int32_t)sk->packets.first->len : 0;
        break;
    case ABI_SIOCOUTQ:
        break;
    default:
        return -ENOTTY;
    }
    return mb_copy_out(arg, &n, sizeof(n));
}

static void udp_release(struct sock *sk)
{
    port_unbind(sk);
    packets_clear(sk);
    sk->shutdown = SHUT_BOTH;
}

const struct sock_ops udp_ops = {
    .bind = inet_bind,
    .connect = udp_connect,
    .getname = inet_getname,
    .shutdown = udp_shutdown,
    .send = udp_send,
    .recv = packet_recv,
    .poll = udp_poll,
    .ioctl = udp_ioctl,
    .set = inet_set,
    .get = inet_get,
    .release = udp_release,
};
