/* Sending and receiving on connected stream sockets: AF_UNIX and TCP.
 *
 * A writer puts bytes into its peer's queue while that holds less than the limit (SO_SNDBUF, for TCP
 * also the peer's SO_RCVBUF), and may go over it with one piece, so that small writes are never
 * split.  It is told of room only when there is much of it.
 */
#include "net/net.h"

#define PIECE 32768u

static inline bool is_unix(const struct sock *sk)
{
    return sk->family == ABI_AF_UNIX;
}

static inline uint32_t limit_of(const struct sock *sk)
{
    return is_unix(sk) ? sk->sndbuf : sk->sndbuf + sk->peer->rcvbuf;
}

/* How full the peer's queue may be for poll to say that there is room. */
static inline uint32_t low_water(const struct sock *sk)
{
    return is_unix(sk) ? sk->sndbuf / 4 : limit_of(sk) / 3 * 2;
}

bool stream_writable(const struct sock *sk)
{
    return sk->peer == NULL || stream_used(&sk->peer->rx) <= low_water(sk);
}

/* Bytes were taken out of sk's queue, where `before` was in use. */
static inline void tell_writer(struct sock *sk, uint32_t before)
{
    struct sock *writer = sk->peer;
    if (writer != NULL && writer->wq.head != NULL && writer->peer == sk) {
        uint32_t low = low_water(writer);
        if (before > low && stream_used(&sk->rx) <= low) {
            wait_wake(&writer->wq);
        }
    }
}

/* May sk send at all?  0 or an error; 1: what it sends goes nowhere. */
static inline int may_send(struct sock *sk, const struct sock *to)
{
    if (is_unix(sk)) {
        return (sk->shutdown & SHUT_OUT) != 0 || to->dead || (to->shutdown & SHUT_IN) != 0 ? -EPIPE
                                                                                           : 0;
    }
    if (sk->err != 0) {
        return sock_error(sk);
    }
    return (sk->shutdown & SHUT_OUT) != 0 ? -EPIPE : to->dead ? 1 : 0;
}

/* Does what is sent have to carry who sent it, or more? */
static inline bool wants_mark(const struct sock *sk, const struct sock *to,
                              const struct sock_extra *x)
{
    return (is_unix(sk) && (sk->passcred || to->passcred)) ||
           (x != NULL && (x->scm.files != NULL || x->scm.cred.pid != 0));
}

/* One piece with its mark. */
static long put_marked(struct sock *sk, struct sock *to, struct iobuf *b, size_t n,
                       struct sock_extra *x)
{
    struct stream *s = &to->rx;
    uint64_t start = s->in;
    struct scm scm = {.cred = SCM_NOBODY};
    if (x != NULL) {
        scm = x->scm;
    }
    if (scm.cred.pid == 0 && (sk->passcred || to->passcred)) {
        const struct cred *c = cred_now();
        scm.cred = (struct abi_ucred){current->proc->pid, c->ruid, c->rgid};
    } else if (scm.cred.pid == 0) {
        scm.cred = SCM_NOBODY;
    }
    int err = scm.files != NULL ? fdset_send(scm.files, to) : 0;
    if (err < 0) {
        return err;
    }
    /* A mark is made first, for the bytes to come: a piece without its descriptors must not be. */
    err = mark_add(s, start, &scm);
    long put = err < 0 ? err : stream_put(s, b, n);
    if (err < 0) {
        if (scm.files != NULL) {
            fdset_received(scm.files, to);
        }
        return err;
    }
    if (put <= 0) {
        if (scm.files != NULL) {
            s->last_mark->scm.files = NULL;
            fdset_received(scm.files, to);
        }
        mark_undo(s);
        return put;
    }
    s->last_mark->end = s->in;
    if (x != NULL) {
        x->scm.files = NULL; /* they went with the first piece */
    }
    return put;
}

static void tcp_nobody_there(struct sock *sk)
{
    sk->err = EPIPE; /* what comes back for data to a closed socket: a reset */
    sk->shutdown = SHUT_BOTH;
    sk->in.reset = true;
    sock_wake_all(sk);
}

long stream_send(struct sock *sk, struct iobuf *b, unsigned flags, struct sock_extra *x)
{
    long done = 0, err = 0;
    uint64_t deadline = 0;
    if (__builtin_expect(sk->state != SOCK_CONNECTED, 0)) {
        if (is_unix(sk)) {
            return x != NULL && x->name != NULL ? -EOPNOTSUPP : -ENOTCONN;
        }
        err = sock_error(sk);
        return sock_broken(flags, err < 0 ? err : -EPIPE);
    }
    if (x != NULL && ((flags & ABI_MSG_OOB) != 0 || (is_unix(sk) && x->name != NULL))) {
        return (flags & ABI_MSG_OOB) != 0 ? -EOPNOTSUPP : -EISCONN;
    }
    for (;;) {
        struct sock *to = sk->peer;
        err = to != NULL ? may_send(sk, to) : -EPIPE; /* none: disconnected meanwhile */
        if (err != 0) {
            break;
        }
        if (b->len == 0) {
            return done;
        }
        if (stream_used(&to->rx) < limit_of(sk)) {
            size_t n = b->len < PIECE ? b->len : PIECE;
            err = __builtin_expect(wants_mark(sk, to, x), 0) ? put_marked(sk, to, b, n, x)
                                                             : stream_put(&to->rx, b, n);
            if (err < 0) {
                break;
            }
            done += err;
            if (!is_unix(sk)) {
                net_counted.packets++;
                net_counted.bytes += (uint64_t)err + 52; /* with its headers */
            }
            sock_wake_in(to);
            if ((size_t)err < n) { /* a fault, or no memory, came in between */
                return done;
            }
            continue;
        }
        sock_found_full(sk);
        if ((flags & ABI_MSG_DONTWAIT) != 0) {
            err = -EAGAIN;
            break;
        }
        err = sock_wait(&sk->wq, sk->sndtimeo, &deadline);
        if (err < 0) {
            break;
        }
    }
    if (err == 1) {
        done += (long)b->len;
        tcp_nobody_there(sk);
        return done;
    }
    return done > 0 ? done : sock_broken(flags, err);
}

/* Why there is nothing (more) to read: 0 end, an error, or 1: wait. */
static int why_nothing(struct sock *sk, bool some, unsigned flags)
{
    if (!is_unix(sk) && sk->in.fin) {
        return 0;
    }
    if (sk->err != 0) {
        return some ? 0 : sock_error(sk);
    }
    if ((sk->shutdown & SHUT_IN) != 0) {
        return 0;
    }
    if (sk->state != SOCK_CONNECTED && sk->state != SOCK_CONNECTING) {
        return -ENOTCONN;
    }
    return (flags & ABI_MSG_DONTWAIT) != 0 ? -EAGAIN : 1;
}

/* Some of what is there; stop: the rest is another message. */
static long take_some(struct sock *sk, struct iobuf *b, unsigned flags, struct sock_extra *x,
                      bool *stop, bool *have_cred)
{
    struct stream *s = &sk->rx;
    bool peek = (flags & ABI_MSG_PEEK) != 0, more = true;
    long n;
    if (is_unix(sk) && (s->marks != NULL || sk->passcred)) {
        n = mark_get(sk, b, peek, x, &more, have_cred);
        *stop = !more;
        return n;
    }
    if (peek) {
        *stop = true;
        return stream_peek(s, b, 0, b->len);
    }
    if ((flags & ABI_MSG_TRUNC) != 0 && !is_unix(sk)) {
        n = stream_get(s, NULL, b->len);
        b->len -= (size_t)n;
        return n;
    }
    return stream_get(s, b, b->len);
}

long stream_recv(struct sock *sk, struct iobuf *b, unsigned flags, struct sock_extra *x)
{
    struct stream *s = &sk->rx;
    long done = 0, err = 0;
    uint64_t deadline = 0;
    bool stop = false, have_cred = false;
    if (__builtin_expect(sk->state != SOCK_CONNECTED, 0)) {
        if (sk->state == SOCK_LISTENING || is_unix(sk)) {
            return is_unix(sk) ? -EINVAL : -ENOTCONN;
        }
    }
    if ((flags & ABI_MSG_OOB) != 0) {
        return is_unix(sk) ? -EOPNOTSUPP : -EINVAL;
    }
    size_t target = (flags & ABI_MSG_WAITALL) != 0 ? b->len
                    : sk->rcvlowat < b->len        ? sk->rcvlowat
                                                   : b->len;
    for (;;) {
        if (s->in != s->out) {
            uint32_t before = stream_used(s);
            err = take_some(sk, b, flags, x, &stop, &have_cred);
            if (err > 0) {
                done += err;
                err = 0;
                tell_writer(sk, before);
            }
            if (stop || err < 0 || b->len == 0) {
                break;
            }
            continue;
        }
        if ((size_t)done >= target && done > 0) {
            break;
        }
        err = why_nothing(sk, done > 0, flags);
        if (err <= 0) {
            break;
        }
        err = sock_wait_in(sk, &deadline);
        if (err < 0) {
            break;
        }
    }
    if (s->in != s->out) {
        sock_pass_on(sk);
    }
    if (x != NULL && done > 0 && x->name != NULL && is_unix(sk)) {
        unix_name_of(sk->peer, x->name);
    }
    return done > 0 ? done : err;
}
