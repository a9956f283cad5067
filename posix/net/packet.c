/* Packets: queues of messages that are received whole.
 *
 * A packet is charged to its sender (AF_UNIX) until it is received, or to the queue it lies in (UDP,
 * netlink); `from` keeps the sender's name for the receiver.
 */
#include "net/net.h"

#include <string.h>

#define PACKET_COST 256u /* beside its bytes */

struct packet *packet_make(struct iobuf *b, size_t n, int *err)
{
    struct packet *p = mb_alloc(sizeof(*p) + n);
    if (p == NULL) {
        *err = -ENOBUFS;
        return NULL;
    }
    memset(p, 0, sizeof(*p));
    p->len = (uint32_t)n;
    p->charge = p->len + PACKET_COST;
    p->scm.cred = SCM_NOBODY;
    *err = n > 0 ? iobuf_get(b, p->data, n) : 0;
    if (*err < 0) {
        mb_free(p);
        return NULL;
    }
    return p;
}

void packet_queue(struct sock *to, struct packet *p, struct sock *from)
{
    p->next = NULL;
    if (from != NULL) {
        p->from = sock_ref(from);
        from->wmem += p->charge;
    }
    if (to->packets.first != NULL) {
        to->packets.last->next = p;
    } else {
        to->packets.first = p;
    }
    to->packets.last = p;
    to->packets.count++;
    to->packets.bytes += p->charge;
    sock_wake_in(to);
}

struct packet *packet_take(struct sock *sk)
{
    struct packet *p = sk->packets.first;
    if (p != NULL) {
        sk->packets.first = p->next;
        sk->packets.count--;
        sk->packets.bytes -= p->charge;
        if (p->scm.files != NULL) {
            fdset_received(p->scm.files, sk);
        }
        if (sk->ops->room != NULL) {
            sk->ops->room(sk);
        }
    }
    return p;
}

void packet_free(struct packet *p)
{
    struct sock *from = p->from;
    fdset_free(p->scm.files);
    if (from != NULL) {
        uint32_t before = from->wmem;
        from->wmem -= p->charge;
        if (from->wq.head != NULL && before > from->sndbuf / 4 && from->wmem <= from->sndbuf / 4) {
            wait_wake(&from->wq);
        }
        sock_unref(from);
    }
    mb_free(p);
}

void packets_clear(struct sock *sk)
{
    struct packet *p;
    while ((p = packet_take(sk)) != NULL) {
        packet_free(p);
    }
}

/* The next packet, still in the queue: 0 with *p NULL at the end of all. */
static int packet_next(struct sock *sk, unsigned flags, struct packet **p)
{
    uint64_t deadline = 0;
    for (;;) {
        if (sk->err != 0) {
            return sock_error(sk);
        }
        *p = sk->packets.first;
        if (*p != NULL) {
            return 0;
        }
        bool over = (sk->shutdown & SHUT_IN) != 0;
        if (over && ((flags & ABI_MSG_DONTWAIT) == 0 || sk->type == ABI_SOCK_SEQPACKET)) {
            return 0;
        }
        if ((flags & ABI_MSG_DONTWAIT) != 0) {
            return -EAGAIN;
        }
        int err = sock_wait_in(sk, &deadline);
        if (err < 0) {
            return err;
        }
    }
}

/* What else the receiver learns. */
static void packet_tell(const struct sock *sk, struct packet *p, bool peek, struct sock_extra *x)
{
    if (x->name != NULL) {
        if (sk->family == ABI_AF_UNIX) {
            unix_name_of(p->from, x->name);
        } else if (sk->family == ABI_AF_NETLINK) {
            *x->name = (struct sock_name){.len = sizeof(x->name->nl)};
            x->name->nl.family = ABI_AF_NETLINK;
        } else {
            inet_to_name(sk, &p->source, x->name);
        }
    }
    x->scm.cred = p->scm.cred;
    if (p->scm.files != NULL) {
        if (peek) {
            x->scm.files = fdset_copy(p->scm.files);
        } else {
            x->scm.files = p->scm.files;
            p->scm.files = NULL;
        }
    }
}

long packet_recv(struct sock *sk, struct iobuf *b, unsigned flags, struct sock_extra *x)
{
    struct packet *p = NULL;
    bool peek = (flags & ABI_MSG_PEEK) != 0;
    if ((flags & ABI_MSG_OOB) != 0) {
        return -EOPNOTSUPP;
    }
    long err = packet_next(sk, flags, &p);
    if (p == NULL || err < 0) {
        if (sk->packets.first != NULL) {
            sock_pass_on(sk);
        }
        return err;
    }
    if (!peek) {
        packet_take(sk);
    }
    size_t n = b->len < p->len ? b->len : p->len;
    err = n > 0 ? iobuf_put(b, p->data, n) : 0;
    long result = (flags & ABI_MSG_TRUNC) != 0 ? (long)p->len : (long)n;
    if (err == 0 && x != NULL) {
        if (n < p->len) {
            x->flags |= ABI_MSG_TRUNC;
        }
        packet_tell(sk, p, peek, x);
    }
    if (!peek) {
        packet_free(p);
    }
    if (sk->packets.first != NULL) {
        sock_pass_on(sk);
    }
    return err < 0 ? err : result;
}
