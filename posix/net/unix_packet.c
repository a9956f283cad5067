/* AF_UNIX datagrams and seqpackets.
 *
 * Two limits hold a sender back: what it has in flight (SO_SNDBUF), and how many datagrams its
 * receiver holds already, unless the two are each other's peers.  Who is held back by a receiver sleeps
 * on its `room`, or, with poll, is in its list of those that want to know.
 */
#include "net/net.h"

static bool is_full(const struct sock *sk)
{
    return sk->packets.count > sk->backlog; /* seqpackets' peers are always each other's */
}

/* ---- who wants room in whose queue ---- */

void unix_want_nothing(struct sock *sk)
{
    struct sock *other = sk->un.want_from;
    if (other == NULL) {
        return;
    }
    struct sock **link = &other->un.wanted;
    while (*link != sk) {
        link = &(*link)->un.want_next;
    }
    *link = sk->un.want_next;
    sk->un.want_from = NULL;
}

static void want(struct sock *sk, struct sock *other)
{
    if (sk->un.want_from == other) {
        return;
    }
    unix_want_nothing(sk);
    sk->un.want_from = other;
    sk->un.want_next = other->un.wanted;
    other->un.wanted = sk;
}

void unix_nobody_wants(struct sock *sk)
{
    struct sock *w;
    while ((w = sk->un.wanted) != NULL) {
        sk->un.wanted = w->un.want_next;
        w->un.want_from = NULL;
        wait_wake(&w->wq);
    }
}

void unix_room(struct sock *sk)
{
    bool full = sk->type == ABI_SOCK_DGRAM ? is_full(sk) : pending_full(sk);
    if (full) {
        return;
    }
    if (sk->un.room.head != NULL) {
        wait_wake(&sk->un.room);
    }
    if (sk->un.wanted != NULL) {
        unix_nobody_wants(sk);
    }
}

/* ---- peers of datagram sockets ---- */

/* sk has no longer old as its peer, whose messages are void. */
static void disconnected(struct sock *sk, struct sock *old)
{
    unix_want_nothing(sk);
    if (sk->packets.first != NULL) {
        packets_clear(sk);
        if (!old->dead && old->peer == sk) {
            old->err = ECONNRESET;
            sock_wake_all(old);
        }
    }
    sock_unref(old);
}

static bool may_send(const struct sock *sk, const struct sock *to)
{
    return to->peer == NULL || to->peer == sk;
}

static int unix_dgram_connect(struct sock *sk, const struct sock_name *name, bool nonblock)
{
    struct sock *other = NULL;
    if (name->family != ABI_AF_UNSPEC) {
        int err = unix_check_name(name);
        if (err == 0 && sk->passcred) {
            err = unix_autobind(sk);
        }
        if (err == 0) {
            err = unix_find(name, sk->type, &other);
        }
        if (err != 0) {
            return err;
        }
        if (!may_send(sk, other)) {
            sock_unref(other);
            return -EPERM;
        }
    }
    struct sock *old = sk->peer;
    if (old == other) {
        if (other != NULL) {
            sock_unref(other);
        }
        return 0;
    }
    sk->peer = other;
    sk->state = other != NULL ? SOCK_CONNECTED : SOCK_CLOSED;
    if (old != NULL) {
        disconnected(sk, old);
    }
    wait_wake(&sk->wq);
    return 0;
}

/* ---- sending ---- */

/* Wait until sk may have more in flight. */
static int wait_own_room(struct sock *sk, unsigned flags, uint64_t *deadline)
{
    for (;;) {
        if (sk->err != 0) {
            return sock_error(sk);
        }
        if ((sk->shutdown & SHUT_OUT) != 0) {
            return -EPIPE;
        }
        if (sk->wmem < sk->sndbuf) {
            return 0;
        }
        if ((flags & ABI_MSG_DONTWAIT) != 0) {
            return -EAGAIN;
        }
        int err = sock_wait(&sk->wq, sk->sndtimeo, deadline);
        if (err < 0) {
            return err;
        }
    }
}

/* The peer is closed: a datagram socket has none from now on. */
static int peer_is_dead(struct sock *sk)
{
    struct sock *old = sk->peer;
    sk->peer = NULL;
    sk->state = SOCK_CLOSED;
    disconnected(sk, old);
    return -ECONNREFUSED;
}

/* One look at the receiver: 0 it may be sent to, 1 wait for room in it, or an error. */
static int receiver_state(struct sock *sk, struct sock *to)
{
    if (!may_send(sk, to)) {
        return -EPERM;
    }
    if (to->dead) {
        return sk->peer != to                   ? -ECONNREFUSED
               : sk->type == ABI_SOCK_SEQPACKET ? -EPIPE
                                                : peer_is_dead(sk);
    }
    if ((to->shutdown & SHUT_IN) != 0) {
        return -EPIPE;
    }
    return to != sk && to->peer != sk && is_full(to) ? 1 : 0;
}

static int find_receiver(struct sock *sk, const struct sock_name *name, struct sock **to)
{
    if (name != NULL) {
        return unix_find(name, sk->type, to);
    }
    if (sk->peer == NULL) {
        return -ECONNRESET;
    }
    *to = sock_ref(sk->peer);
    return 0;
}

static int deliver(struct sock *sk, struct packet *p, const struct sock_name *name, unsigned flags,
                   struct sock_extra *x, uint64_t *deadline)
{
    for (;;) {
        struct sock *to;
        int err = find_receiver(sk, name, &to);
        if (err != 0) {
            return err;
        }
        err = receiver_state(sk, to);
        if (err == 1) {
            sock_found_full(sk);
            err = (flags & ABI_MSG_DONTWAIT) != 0 ? -EAGAIN
                                                  : sock_wait(&to->un.room, sk->sndtimeo, deadline);
            sock_unref(to);
            if (err < 0) {
                return err;
            }
            continue;
        }
        if (err == 0 && p->scm.cred.pid == 0 && (sk->passcred || to->passcred)) {
            const struct cred *c = cred_now();
            p->scm.cred = (struct abi_ucred){current->proc->pid, c->ruid, c->rgid};
        }
        if (err == 0 && x != NULL && x->scm.files != NULL) {
            err = fdset_send(x->scm.files, to);
            if (err == 0) {
                p->scm.files = x->scm.files;
                x->scm.files = NULL;
            }
        }
        if (err == 0) {
            packet_queue(to, p, sk);
        }
        sock_unref(to);
        return err;
    }
}

static long unix_packet_send(struct sock *sk, struct iobuf *b, unsigned flags, struct sock_extra *x)
{
    const struct sock_name *name = x != NULL ? x->name : NULL;
    size_t n = b->len;
    uint64_t deadline = 0;
    int err = 0;
    if (sk->type == ABI_SOCK_SEQPACKET) {
        err = sock_error(sk);
        if (err == 0 && sk->state != SOCK_CONNECTED) {
            err = -ENOTCONN;
        }
        name = NULL;
    }
    if (err == 0 && (flags & ABI_MSG_OOB) != 0) {
        err = -EOPNOTSUPP;
    }
    if (err == 0 && name != NULL) {
        err = unix_check_name(name);
    } else if (err == 0 && sk->peer == NULL) {
        err = -ENOTCONN;
    }
    if (err == 0 && sk->passcred) {
        err = unix_autobind(sk);
    }
    if (err == 0 && n > sk->sndbuf - 32) {
        err = -EMSGSIZE;
    }
    if (err == 0) {
        err = wait_own_room(sk, flags, &deadline);
    }
    struct packet *p = err == 0 ? packet_make(b, n, &err) : NULL;
    if (p == NULL) {
        return err;
    }
    if (x != NULL && x->scm.cred.pid != 0) {
        p->scm.cred = x->scm.cred;
    }
    err = deliver(sk, p, name, flags, x, &deadline);
    if (err < 0) {
        packet_free(p);
        return err;
    }
    return (long)n;
}

static long unix_packet_recv(struct sock *sk, struct iobuf *b, unsigned flags, struct sock_extra *x)
{
    if (sk->type == ABI_SOCK_SEQPACKET && sk->state != SOCK_CONNECTED) {
        return -ENOTCONN;
    }
    return packet_recv(sk, b, flags, x);
}

static unsigned unix_packet_poll(struct sock *sk)
{
    struct sock *peer = sk->peer;
    unsigned events = sk->err != 0 ? ABI_POLLERR : 0;
    if (sk->shutdown == SHUT_BOTH || (sk->type == ABI_SOCK_SEQPACKET && sk->state == SOCK_CLOSED)) {
        events |= ABI_POLLHUP;
    }
    if ((sk->shutdown & SHUT_IN) != 0) {
        events |= ABI_POLLRDHUP | ABI_POLLIN | ABI_POLLRDNORM;
    }
    if (sk->packets.first != NULL || sk->pending != NULL) {
        events |= ABI_POLLIN | ABI_POLLRDNORM;
    }
    bool room = sk->state != SOCK_LISTENING && sk->wmem <= sk->sndbuf / 4;
    if (room && sk->type == ABI_SOCK_DGRAM && peer != NULL && peer->peer != sk && !peer->dead &&
        is_full(peer)) {
        want(sk, peer);
        room = false;
    }
    return room ? events | ABI_POLLOUT | ABI_POLLWRNORM | ABI_POLLWRBAND : events;
}

const struct sock_ops unix_dgram_ops = {
    .bind = unix_bind,
    .connect = unix_dgram_connect,
    .getname = unix_getname,
    .shutdown = unix_shutdown,
    .send = unix_packet_send,
    .recv = unix_packet_recv,
    .poll = unix_packet_poll,
    .ioctl = unix_ioctl,
    .room = unix_room,
    .release = unix_release,
    .free = unix_free,
};

const struct sock_ops unix_seqpacket_ops = {
    .bind = unix_bind,
    .connect = unix_connect,
    .listen = unix_listen,
    .getname = unix_getname,
    .shutdown = unix_shutdown,
    .send = unix_packet_send,
    .recv = unix_packet_recv,
    .poll = unix_packet_poll,
    .ioctl = unix_ioctl,
    .room = unix_room,
    .release = unix_release,
    .free = unix_free,
    .connections = true,
};
