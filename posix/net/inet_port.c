/* Ports: who has which, who may have it too, and who is meant by an address.
 *
 * All bound sockets are in a table by port; TCP and UDP are told apart there.  The rules of sharing are
 * Linux's: SO_REUSEADDR lets two have a port as long as neither listens (TCP), or always (UDP);
 * SO_REUSEPORT lets those of one user share it if all want to.
 */
#include "net/net.h"

#include <string.h>

#define HASH 64u
#define LOCAL_FIRST 32768u /* net.ipv4.ip_local_port_range */
#define LOCAL_LAST 60999u
#define PRIVILEGED 1024u

static struct sock *table[HASH];

static struct sock **bucket_of(uint16_t port)
{
    return &table[port % HASH];
}

static void port_put(struct sock *sk)
{
    struct sock **bucket = bucket_of(sk->in.self.port);
    sk->in.bound = true;
    sk->in.uid = cred_now()->euid;
    sk->in.port_next = *bucket;
    *bucket = sk;
}

void port_unbind(struct sock *sk)
{
    if (!sk->in.bound) {
        return;
    }
    struct sock **link = bucket_of(sk->in.self.port);
    while (*link != sk) {
        link = &(*link)->in.port_next;
    }
    *link = sk->in.port_next;
    sk->in.bound = false;
}

void port_share(struct sock *sk, const struct sock *with)
{
    sk->reuseaddr = with->reuseaddr;
    sk->reuseport = with->reuseport;
    port_put(sk);
    sk->in.uid = with->in.uid;
}

static bool same_ip(const struct inet_end *a, const struct inet_end *b)
{
    return memcmp(a->ip, b->ip, 16) == 0;
}

/* Does sk, by the address it is bound to, receive what is sent to e? */
static bool covers(const struct sock *sk, const struct inet_end *e)
{
    const struct inet_end *self = &sk->in.self;
    if (same_ip(self, e)) {
        return true;
    }
    if (!inet_is_any(self)) {
        return false;
    }
    bool v4 = inet_is_v4(e);
    return inet_is_v4(self) ? v4 : !v4 || !sk->in.v6only;
}

static bool overlap(const struct sock *a, const struct sock *b)
{
    return covers(a, &b->in.self) || covers(b, &a->in.self);
}

/* May a have what b has? */
static bool may_share(const struct sock *a, const struct sock *b)
{
    if (a->reuseport && b->reuseport && a->in.uid == b->in.uid) {
        return true;
    }
    if (!a->reuseaddr || !b->reuseaddr) {
        return false;
    }
    return a->type == ABI_SOCK_DGRAM || b->state != SOCK_LISTENING;
}

/* Is there anybody in the way of sk, listening or not, at its address? */
static bool taken(const struct sock *sk, uint16_t port)
{
    for (const struct sock *o = *bucket_of(port); o != NULL; o = o->in.port_next) {
        if (o != sk && o->in.self.port == port && o->type == sk->type && overlap(o, sk) &&
            !may_share(sk, o)) {
            return true;
        }
    }
    return false;
}

/* Nobody at all has it: what is chosen for a program is its own. */
static bool unused(const struct sock *sk, uint16_t port)
{
    for (const struct sock *o = *bucket_of(port); o != NULL; o = o->in.port_next) {
        if (o->in.self.port == port && o->type == sk->type) {
            return false;
        }
    }
    return true;
}

int port_bind(struct sock *sk, uint16_t port)
{
    sk->in.uid = cred_now()->euid;
    if (port == 0) {
        uint16_t start;
        unsigned n = LOCAL_LAST - LOCAL_FIRST + 1;
        mb_random(&start, sizeof(start));
        for (unsigned i = 0; i < n && port == 0; i++) {
            uint16_t try = (uint16_t)(LOCAL_FIRST + (start + i) % n);
            port = unused(sk, try) ?
            try:
                0;
        }
        if (port == 0) {
            return -EADDRINUSE;
        }
    } else if (taken(sk, port)) {
        return -EADDRINUSE;
    }
    sk->in.self.port = port;
    port_put(sk);
    return 0;
}

/* Those that share a port without listening may all want to begin: one can. */
int port_may_listen(const struct sock *sk)
{
    return taken(sk, sk->in.self.port) ? -EADDRINUSE : 0;
}

int inet_bind(struct sock *sk, const struct sock_name *name)
{
    struct inet_end e;
    struct sock_name v4 = *name;
    if (sk->family == ABI_AF_INET && name->family == ABI_AF_UNSPEC &&
        name->len >= sizeof(name->in) && memcmp(name->in.addr, "\0\0\0\0", 4) == 0) {
        v4.family = ABI_AF_INET; /* as Linux forgives */
    }
    int err = inet_from_name(sk, &v4, &e);
    if (err < 0) {
        return err;
    }
    if (!inet_is_any(&e) && !inet_is_local(&e)) {
        return -EADDRNOTAVAIL;
    }
    if (sk->family == ABI_AF_INET6 && sk->in.v6only && inet_is_v4(&e)) {
        return -EINVAL;
    }
    if (e.port != 0 && e.port < PRIVILEGED && !capable(CAP_NET_BIND_SERVICE)) {
        return -EACCES;
    }
    if (sk->in.bound || sk->state != SOCK_CLOSED) {
        return -EINVAL;
    }
    struct inet_end old = sk->in.self;
    sk->in.self = e;
    err = port_bind(sk, e.port);
    if (err < 0) {
        sk->in.self = old;
    }
    return err;
}

/* ---- who is meant ---- */

/* How well o fits a message to `to`: 0 not at all. */
static unsigned fit(const struct sock *o, const struct inet_end *from, const struct inet_end *to)
{
    if (!covers(o, to)) {
        return 0;
    }
    unsigned score = inet_is_any(&o->in.self) ? 1 : 2;
    if (o->type == ABI_SOCK_DGRAM && o->in.peer.port != 0) {
        if (o->in.peer.port != from->port || !same_ip(&o->in.peer, from)) {
            return 0;
        }
        score += 4;
    }
    return score;
}

/* The best one; of several that are as good and share the port, one by who asks. */
static struct sock *find(unsigned type, const struct inet_end *from, const struct inet_end *to)
{
    struct sock *best = NULL;
    unsigned best_score = 0, equal = 0;
    for (struct sock *o = *bucket_of(to->port); o != NULL; o = o->in.port_next) {
        if (o->in.self.port != to->port || o->type != type ||
            (type == ABI_SOCK_STREAM && o->state != SOCK_LISTENING)) {
            continue;
        }
        unsigned score = fit(o, from, to);
        if (score > best_score) {
            best = o;
            best_score = score;
            equal = 1;
        } else if (score != 0 && score == best_score && o->reuseport) {
            equal++;
            if (from->port % equal == 0) {
                best = o;
            }
        }
    }
    return best;
}

struct sock *port_find_listener(const struct sock *from, const struct inet_end *to)
{
    return find(ABI_SOCK_STREAM, &from->in.self, to);
}

struct sock *port_find_udp(const struct inet_end *from, const struct inet_end *to)
{
    return find(ABI_SOCK_DGRAM, from, to);
}
