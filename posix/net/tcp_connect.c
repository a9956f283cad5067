/* TCP: how connections come to be.
 *
 * A connect makes the other end at once and puts it in the listener's line; when that is full it
 * stands in another one, CONNECTING, until accept makes room.
 */
#include "net/net.h"

#include <string.h>

void tcp_line_leave(struct sock *sk)
{
    struct sock *l = sk->in.via;
    if (l == NULL) {
        return;
    }
    struct sock **link = &l->waiting, *last = NULL;
    while (*link != sk) {
        last = *link;
        link = &last->pending_next;
    }
    *link = sk->pending_next;
    if (l->waiting_last == sk) {
        l->waiting_last = last;
    }
    sk->pending_next = NULL;
    sk->in.via = NULL;
}

static void line_join(struct sock *sk, struct sock *l)
{
    sk->pending_next = NULL;
    if (l->waiting != NULL) {
        l->waiting_last->pending_next = sk;
    } else {
        l->waiting = sk;
    }
    l->waiting_last = sk;
    sk->in.via = l;
    sk->state = SOCK_CONNECTING;
}

void tcp_refused(struct sock *sk, int err)
{
    sk->state = SOCK_CLOSED;
    sk->err = err;
    sk->in.peer.port = 0;
    sock_wake_all(sk);
}

/* Both ends of a connection of sk to listener l. */
static int establish(struct sock *sk, struct sock *l)
{
    struct sock *child = sock_make(&tcp_ops, &inet_all, l->family, ABI_SOCK_STREAM, l->protocol);
    if (child == NULL) {
        return -ENOBUFS;
    }
    child->in = (struct inet_part){.self = sk->in.peer, .peer = sk->in.self};
    child->in.v6only = l->in.v6only;
    memcpy(child->in.option, l->in.option, sizeof(child->in.option));
    child->sndbuf = l->sndbuf;
    child->rcvbuf = l->rcvbuf;
    child->rcvlowat = l->rcvlowat;
    child->linger = l->linger;
    child->keepalive = l->keepalive;
    child->oobinline = l->oobinline;
    child->priority = l->priority;
    port_share(child, l);
    child->peer = sock_ref(sk);
    child->state = sk->state = SOCK_CONNECTED;
    sk->peer = sock_ref(child);
    sock_wake_all(sk);
    pending_add(l, child);
    return 0;
}

/* There is room in the line of l: the first that waits outside. */
void tcp_room(struct sock *l)
{
    struct sock *sk = l->waiting;
    if (sk == NULL || pending_full(l) || l->state != SOCK_LISTENING) {
        return;
    }
    tcp_line_leave(sk);
    if (establish(sk, l) < 0) {
        tcp_refused(sk, ETIMEDOUT);
    }
}

/* The result of a connect that did not wait, or of one that did. */
static int connect_result(struct sock *sk)
{
    sk->in.asked = false;
    if (sk->state == SOCK_CONNECTED) {
        return 0;
    }
    int err = sock_error(sk);
    return err < 0 ? err : -ECONNABORTED;
}

static int wait_connected(struct sock *sk, bool nonblock)
{
    uint64_t deadline = 0;
    while (sk->state == SOCK_CONNECTING) {
        if (nonblock) {
            return -EINPROGRESS;
        }
        int err = sock_wait(&sk->wq, sk->sndtimeo, &deadline);
        if (err < 0) {
            sk->in.asked = true;
            return err == -EAGAIN ? -EINPROGRESS : err;
        }
    }
    return connect_result(sk);
}

/* Where it comes from: the address that reaches the other one, and a port. */
static int choose_self(struct sock *sk, const struct inet_end *to)
{
    if (inet_is_any(&sk->in.self)) {
        uint16_t port = sk->in.self.port;
        inet_loopback(inet_is_v4(to), &sk->in.self);
        sk->in.self.port = port;
    }
    int err = sk->in.bound ? 0 : port_bind(sk, 0);
    return err == -EADDRINUSE ? -EADDRNOTAVAIL : err;
}

static int connect_new(struct sock *sk, struct inet_end *to, bool nonblock)
{
    int err = inet_route(sk, to);
    if (err == 0) {
        err = choose_self(sk, to);
    }
    if (err < 0) {
        return err;
    }
    sk->in.peer = *to;
    sk->err = 0;
    sk->in.reset = sk->in.fin = false;
    struct sock *l = port_find_listener(sk, to);
    if (l == NULL) {
        tcp_refused(sk, ECONNREFUSED);
    } else if (pending_full(l)) {
        line_join(sk, l);
    } else {
        err = establish(sk, l);
        if (err < 0) {
            return err;
        }
    }
    sock_found_full(sk);
    if (nonblock) {
        sk->in.asked = true;
        return -EINPROGRESS;
    }
    return wait_connected(sk, false);
}

int tcp_connect(struct sock *sk, const struct sock_name *name, bool nonblock)
{
    struct inet_end to;
    if (name->family == ABI_AF_UNSPEC) {
        return tcp_disconnect(sk);
    }
    int err = inet_from_name(sk, name, &to);
    if (err < 0) {
        return err;
    }
    if (sk->in.asked) {
        if (sk->state == SOCK_CONNECTING) {
            return nonblock ? -EALREADY : wait_connected(sk, false);
        }
        return connect_result(sk);
    }
    switch (sk->state) {
    case SOCK_CONNECTED:
    case SOCK_LISTENING:
        return -EISCONN;
    case SOCK_CONNECTING:
        return nonblock ? -EALREADY : wait_connected(sk, false);
    default:
        return to.port == 0 ? -ECONNREFUSED : connect_new(sk, &to, nonblock);
    }
}

int tcp_listen(struct sock *sk, unsigned backlog)
{
    if (sk->state != SOCK_CLOSED && sk->state != SOCK_LISTENING) {
        return -EINVAL;
    }
    int err = sk->in.bound ? port_may_listen(sk) : port_bind(sk, 0);
    if (err < 0) {
        return err;
    }
    sk->backlog = backlog;
    sk->state = SOCK_LISTENING;
    while (sk->waiting != NULL && !pending_full(sk)) {
        tcp_room(sk);
    }
    return 0;
}
