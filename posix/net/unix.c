/* AF_UNIX: making and ending sockets, and the connections of streams and seqpackets. */
#include "net/net.h"

#include <string.h>

#define DGRAM_QUEUE 10u /* net.unix.max_dgram_qlen */

struct sock *unix_all;

static const struct sock_ops *ops_of(unsigned type)
{
    return type == ABI_SOCK_STREAM  ? &unix_stream_ops
           : type == ABI_SOCK_DGRAM ? &unix_dgram_ops
                                    : &unix_seqpacket_ops;
}

static struct sock *unix_make(unsigned type, unsigned protocol)
{
    struct sock *sk = sock_make(ops_of(type), &unix_all, ABI_AF_UNIX, type, protocol);
    if (sk != NULL) {
        sk->backlog = DGRAM_QUEUE;
    }
    return sk;
}

static int unix_create(unsigned family, unsigned type, unsigned protocol, struct sock **out)
{
    if (protocol > 1) { /* PF_UNIX is 1 */
        return -EPROTONOSUPPORT;
    }
    switch (type) {
    case ABI_SOCK_STREAM:
    case ABI_SOCK_SEQPACKET:
    case ABI_SOCK_DGRAM:
        break;
    case ABI_SOCK_RAW:
        type = ABI_SOCK_DGRAM;
        break;
    default:
        return -ESOCKTNOSUPPORT;
    }
    *out = unix_make(type, protocol);
    return *out != NULL ? 0 : -ENOMEM;
}

static int unix_pair(struct sock *a, struct sock *b)
{
    a->peer = sock_ref(b);
    b->peer = sock_ref(a);
    a->peercred = b->peercred = sock_cred();
    a->state = b->state = SOCK_CONNECTED;
    return 0;
}

const struct family unix_family = {
    .family = ABI_AF_UNIX,
    .create = unix_create,
    .pair = unix_pair,
};

/* ---- connections ---- */

int unix_listen(struct sock *sk, unsigned backlog)
{
    if (sk->un.addr == NULL) {
        return -EINVAL;
    }
    if (sk->state != SOCK_CLOSED && sk->state != SOCK_LISTENING) {
        return -EINVAL;
    }
    sk->backlog = backlog;
    sk->state = SOCK_LISTENING;
    sk->cred = sock_cred();
    unix_room(sk);
    return 0;
}

/* The listening socket of that name with room for one more; or an error. */
static int find_listener(struct sock *sk, const struct sock_name *name, bool nonblock,
                         struct sock **out)
{
    uint64_t deadline = 0;
    for (;;) {
        struct sock *other;
        int err = unix_find(name, sk->type, &other);
        if (err != 0) {
            return err;
        }
        if (other->state != SOCK_LISTENING || (other->shutdown & SHUT_IN) != 0) {
            err = -ECONNREFUSED;
        } else if (!pending_full(other)) {
            *out = other;
            return 0;
        } else {
            err = nonblock ? -EAGAIN : sock_wait(&other->un.room, sk->sndtimeo, &deadline);
        }
        sock_unref(other);
        if (err < 0) {
            return err;
        }
    }
}

static int establish(struct sock *sk, struct sock *listener)
{
    struct sock *child = unix_make(sk->type, 0);
    if (child == NULL) {
        return -ENOMEM;
    }
    child->un.addr = unix_addr_ref(listener->un.addr);
    child->peer = sock_ref(sk);
    child->peercred = sock_cred();
    child->passcred = listener->passcred;
    child->state = sk->state = SOCK_CONNECTED;
    sk->peer = sock_ref(child);
    sk->peercred = listener->cred;
    wait_wake(&sk->wq);
    pending_add(listener, child);
    return 0;
}

int unix_connect(struct sock *sk, const struct sock_name *name, bool nonblock)
{
    struct sock *other;
    int err = unix_check_name(name);
    if (err == 0 && sk->passcred) {
        err = unix_autobind(sk);
    }
    if (err == 0) {
        err = find_listener(sk, name, nonblock, &other);
    }
    if (err != 0) {
        return err;
    }
    if (sk->state != SOCK_CLOSED) {
        err = sk->state == SOCK_CONNECTED ? -EISCONN : -EINVAL;
    } else {
        err = establish(sk, other);
    }
    sock_unref(other);
    return err;
}

int unix_shutdown(struct sock *sk, unsigned how)
{
    struct sock *peer = sk->peer;
    sk->shutdown |= (uint8_t)how;
    sock_wake_all(sk);
    if (peer != NULL && sk->type != ABI_SOCK_DGRAM && !peer->dead) {
        peer->shutdown |= (uint8_t)((how & SHUT_IN) != 0 ? SHUT_OUT : 0);
        peer->shutdown |= (uint8_t)((how & SHUT_OUT) != 0 ? SHUT_IN : 0);
        sock_wake_all(peer);
    }
    if (sk->state == SOCK_LISTENING) {
        wait_wake(&sk->un.room); /* who waits for room learns that there will be none */
    }
    return 0;
}

/* ---- the end ---- */

static bool has_unread(const struct sock *sk)
{
    return sk->type == ABI_SOCK_STREAM ? stream_bytes(&sk->rx) > 0 : sk->packets.first != NULL;
}

static void leave_peer(struct sock *sk)
{
    struct sock *peer = sk->peer;
    if (peer == NULL) {
        return;
    }
    unix_want_nothing(sk);
    if (sk->type != ABI_SOCK_DGRAM && !peer->dead) {
        peer->shutdown = SHUT_BOTH;
        if (has_unread(sk)) {
            peer->err = ECONNRESET;
        }
        sock_wake_all(peer);
    }
    sk->peer = NULL;
    sock_unref(peer);
}

/* Everything in its queue, descriptors too. */
static void unix_clear(struct sock *sk)
{
    if (sk->type != ABI_SOCK_STREAM) {
        packets_clear(sk);
        return;
    }
    for (struct mark *m = sk->rx.marks; m != NULL; m = m->next) {
        struct fdset *set = m->scm.files;
        if (set != NULL) {
            m->scm.files = NULL;
            fdset_received(set, sk);
            fdset_free(set);
        }
    }
    marks_clear(&sk->rx);
    stream_clear(&sk->rx);
}

void unix_release(struct sock *sk)
{
    struct sock *child;
    unix_unbind(sk);
    leave_peer(sk);
    sk->state = SOCK_CLOSED;
    sk->shutdown = SHUT_BOTH;
    sk->dead = true; /* nobody puts anything in from here on */
    while ((child = pending_take(sk)) != NULL) {
        if (child->peer != NULL) {
            child->peer->err = ECONNRESET;
        }
        sock_close(child);
    }
    unix_clear(sk);
    wait_wake(&sk->un.room);
    unix_nobody_wants(sk);
}

void unix_free(struct sock *sk)
{
    unix_addr_put(sk->un.addr);
}

/* ---- what streams and packets share ---- */

long unix_ioctl(struct sock *sk, uint64_t cmd, uint64_t arg)
{
    int32_t n = 0;
    switch ((uint32_t)cmd) {
    case ABI_SIOCINQ:
        if (sk->state == SOCK_LISTENING) {
            return -EINVAL;
        }
        if (sk->type == ABI_SOCK_STREAM) {
            n = (int32_t)stream_bytes(&sk->rx);
        } else {
            for (const struct packet *p = sk->packets.first; p != NULL; p = p->next) {
                n += (int32_t)p->len;
                if (sk->type == ABI_SOCK_DGRAM) {
                    break;
                }
            }
        }
        break;
    case ABI_SIOCOUTQ:
        if (sk->state == SOCK_LISTENING) {
            return -EINVAL;
        }
        n = (int32_t)(sk->type == ABI_SOCK_STREAM && sk->peer != NULL ? stream_used(&sk->peer->rx)
                                                                      : sk->wmem);
        break;
    default:
        return -ENOTTY;
    }
    return mb_copy_out(arg, &n, sizeof(n));
}

static unsigned unix_stream_poll(struct sock *sk)
{
    unsigned events = sk->err != 0 ? ABI_POLLERR : 0;
    if (sk->shutdown == SHUT_BOTH || sk->state == SOCK_CLOSED) {
        events |= ABI_POLLHUP;
    }
    if ((sk->shutdown & SHUT_IN) != 0) {
        events |= ABI_POLLRDHUP | ABI_POLLIN | ABI_POLLRDNORM;
    }
    if (sk->rx.in != sk->rx.out || sk->pending != NULL) {
        events |= ABI_POLLIN | ABI_POLLRDNORM;
    }
    if (sk->state != SOCK_LISTENING && stream_writable(sk)) {
        events |= ABI_POLLOUT | ABI_POLLWRNORM | ABI_POLLWRBAND;
    }
    return events;
}

const struct sock_ops unix_stream_ops = {
    .bind = unix_bind,
    .connect = unix_connect,
    .listen = unix_listen,
    .getname = unix_getname,
    .shutdown = unix_shutdown,
    .send = stream_send,
    .recv = stream_recv,
    .poll = unix_stream_poll,
    .ioctl = unix_ioctl,
    .room = unix_room,
    .release = unix_release,
    .free = unix_free,
    .connections = true,
};
