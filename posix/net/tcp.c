/* TCP as programs see it, between sockets of this machine: closing, and what is asked about it.
 *
 * There are no segments: what would come back for data to a closed socket (a reset) is what the next
 * call finds.  No TIME_WAIT: a connection that both ends have closed is gone.
 * Not here: connecting (tcp_connect.c), moving data (stream_sock.c), ports (inet_port.c), options.
 */
#include "net/net.h"

/* ---- closing ---- */

/* The other end gets an end of data, or that the connection is broken. */
static void tell_peer(struct sock *sk, bool reset)
{
    struct sock *peer = sk->peer;
    if (peer == NULL || peer->dead || peer->peer != sk) {
        return;
    }
    if (reset) {
        peer->err = peer->in.fin ? EPIPE : ECONNRESET;
        peer->in.reset = true;
        peer->shutdown = SHUT_BOTH;
    } else {
        peer->shutdown |= SHUT_IN;
        peer->in.fin = true;
    }
    sock_wake_all(peer);
}

static void leave_peer(struct sock *sk)
{
    if (sk->peer != NULL) {
        struct sock *peer = sk->peer;
        sk->peer = NULL;
        sock_unref(peer);
    }
}

static void close_line(struct sock *sk)
{
    struct sock *other;
    sk->state = SOCK_CLOSED;
    while ((other = pending_take(sk)) != NULL) {
        tell_peer(other, true);
        other->in.reset = true; /* that was all */
        sock_close(other);
    }
    while ((other = sk->waiting) != NULL) {
        tcp_line_leave(other);
        tcp_refused(other, ECONNREFUSED);
    }
}

int tcp_disconnect(struct sock *sk)
{
    if (sk->state == SOCK_LISTENING) {
        close_line(sk);
    } else if (sk->state == SOCK_CONNECTED) {
        tell_peer(sk, true);
        leave_peer(sk);
    }
    tcp_line_leave(sk);
    stream_clear(&sk->rx);
    sk->state = SOCK_CLOSED;
    sk->shutdown = 0;
    sk->err = 0;
    sk->in.asked = sk->in.fin = sk->in.reset = false;
    sk->in.peer.port = 0;
    port_unbind(sk);
    inet_any(sk->family, &sk->in.self);
    sock_wake_all(sk);
    return 0;
}

static int tcp_shutdown(struct sock *sk, unsigned how)
{
    if (sk->state == SOCK_LISTENING) {
        if ((how & SHUT_IN) != 0) {
            close_line(sk);
            sock_wake_all(sk);
        }
        return 0;
    }
    if (sk->state == SOCK_CONNECTING) {
        tcp_line_leave(sk);
        tcp_refused(sk, 0);
        return 0;
    }
    if (tcp_state(sk) == TCP_CLOSE_STATE) {
        return -ENOTCONN;
    }
    if ((how & SHUT_OUT) != 0 && (sk->shutdown & SHUT_OUT) == 0) {
        tell_peer(sk, false);
    }
    sk->shutdown |= (uint8_t)how;
    sock_wake_all(sk);
    return 0;
}

static void tcp_release(struct sock *sk)
{
    sk->dead = true;
    if (sk->state == SOCK_LISTENING) {
        close_line(sk);
    } else if (sk->state == SOCK_CONNECTED && !sk->in.reset) {
        bool hard = sk->linger.on != 0 && sk->linger.seconds == 0;
        if (hard || stream_bytes(&sk->rx) > 0) {
            tell_peer(sk, true);
        } else {
            tell_peer(sk, false);
        }
    }
    tcp_line_leave(sk);
    leave_peer(sk);
    port_unbind(sk);
    stream_clear(&sk->rx);
    sk->state = SOCK_CLOSED;
    sk->shutdown = SHUT_BOTH;
}

/* ---- asking ---- */

static unsigned tcp_poll(struct sock *sk)
{
    unsigned events = 0;
    if (sk->state == SOCK_LISTENING) {
        return sk->pending != NULL ? ABI_POLLIN | ABI_POLLRDNORM : 0;
    }
    if (sk->shutdown == SHUT_BOTH || sk->state == SOCK_CLOSED) {
        events |= ABI_POLLHUP;
    }
    if ((sk->shutdown & SHUT_IN) != 0) {
        events |= ABI_POLLIN | ABI_POLLRDNORM | ABI_POLLRDHUP;
    }
    if (sk->state != SOCK_CONNECTING) {
        uint32_t have = stream_bytes(&sk->rx);
        if (have > 0 && have >= sk->rcvlowat) {
            events |= ABI_POLLIN | ABI_POLLRDNORM;
        }
        if ((sk->shutdown & SHUT_OUT) != 0 || stream_writable(sk)) {
            events |= ABI_POLLOUT | ABI_POLLWRNORM;
        }
    }
    return sk->err != 0 ? events | ABI_POLLERR : events;
}

static long tcp_ioctl(struct sock *sk, uint64_t cmd, uint64_t arg)
{
    int32_t n = 0;
    switch ((uint32_t)cmd) {
    case ABI_SIOCINQ:
        if (sk->state == SOCK_LISTENING) {
            return -EINVAL;
        }
        n = (int32_t)stream_bytes(&sk->rx);
        break;
    case ABI_SIOCATMARK:
        break;
    case ABI_SIOCOUTQ: /* what is sent has arrived */
        if (sk->state == SOCK_LISTENING) {
            return -EINVAL;
        }
        break;
    default:
        return -ENOTTY;
    }
    return mb_copy_out(arg, &n, sizeof(n));
}

/* The state as Linux numbers it (include/net/tcp_states.h, told by /proc/net/tcp and TCP_INFO). */
unsigned tcp_state(const struct sock *sk)
{
    enum {
        ESTABLISHED = 1,
        SYN_SENT,
        FIN_WAIT2 = 5,
        CLOSE = TCP_CLOSE_STATE,
        CLOSE_WAIT,
        LISTEN = 10
    };
    bool sent = (sk->shutdown & SHUT_OUT) != 0;
    switch (sk->state) {
    case SOCK_LISTENING:
        return LISTEN;
    case SOCK_CONNECTING:
        return SYN_SENT;
    case SOCK_CONNECTED:
        if (sk->in.reset || (sk->in.fin && sent)) {
            return CLOSE;
        }
        return sk->in.fin ? CLOSE_WAIT : sent ? FIN_WAIT2 : ESTABLISHED;
    default:
        return CLOSE;
    }
}

const struct sock_ops tcp_ops = {
    .bind = inet_bind,
    .connect = tcp_connect,
    .listen = tcp_listen,
    .getname = inet_getname,
    .shutdown = tcp_shutdown,
    .send = stream_send,
    .recv = stream_recv,
    .poll = tcp_poll,
    .ioctl = tcp_ioctl,
    .set = inet_set,
    .get = inet_get,
    .room = tcp_room,
    .release = tcp_release,
    .connections = true,
};
