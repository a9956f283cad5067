/* Internet addresses: ends of connections, their names as programs have them, and which are ours.
 *
 * An IPv4 address is kept as ::ffff:a.b.c.d, so that one comparison serves both families.  There is only
 * the loopback interface: 127.0.0.0/8 and ::1.
 */
#include "net/net.h"

#include <string.h>

static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const uint8_t zeroes[16];

bool inet_is_v4(const struct inet_end *e)
{
    return memcmp(e->ip, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool inet_is_any(const struct inet_end *e)
{
    return inet_is_v4(e) ? memcmp(e->ip + 12, zeroes, 4) == 0 : memcmp(e->ip, zeroes, 16) == 0;
}

bool inet_is_local(const struct inet_end *e)
{
    return inet_is_v4(e) ? e->ip[12] == 127 : memcmp(e->ip, zeroes, 15) == 0 && e->ip[15] == 1;
}

void inet_any(unsigned family, struct inet_end *e)
{
    memset(e, 0, sizeof(*e));
    if (family == ABI_AF_INET) {
        memcpy(e->ip, v4_prefix, sizeof(v4_prefix));
    }
}

void inet_loopback(bool v4, struct inet_end *e)
{
    inet_any(v4 ? ABI_AF_INET : ABI_AF_INET6, e);
    if (v4) {
        e->ip[12] = 127;
    }
    e->ip[15] = 1;
}

int inet_from_name(const struct sock *sk, const struct sock_name *name, struct inet_end *out)
{
    if (sk->family == ABI_AF_INET) {
        if (name->len < sizeof(name->in)) {
            return -EINVAL;
        }
        if (name->family != ABI_AF_INET) {
            return -EAFNOSUPPORT;
        }
        inet_any(ABI_AF_INET, out);
        memcpy(out->ip + 12, name->in.addr, 4);
        out->port = net16(name->in.port);
        return 0;
    }
    if (name->len < sizeof(name->in6) - sizeof(name->in6.scope)) {
        return -EINVAL;
    }
    if (name->family != ABI_AF_INET6) {
        return -EAFNOSUPPORT;
    }
    memcpy(out->ip, name->in6.addr, 16);
    out->port = net16(name->in6.port);
    return 0;
}

void inet_to_name(const struct sock *sk, const struct inet_end *e, struct sock_name *name)
{
    memset(name, 0, sizeof(*name));
    if (sk->family == ABI_AF_INET) {
        name->len = sizeof(name->in);
        name->in.family = ABI_AF_INET;
        name->in.port = net16(e->port);
        memcpy(name->in.addr, e->ip + 12, 4);
        return;
    }
    name->len = sizeof(name->in6);
    name->in6.family = ABI_AF_INET6;
    name->in6.port = net16(e->port);
    memcpy(name->in6.addr, e->ip, 16);
}

/* Where a connect or send goes: "any" is the loopback address.  Elsewhere there is no way. */
int inet_route(const struct sock *sk, struct inet_end *to)
{
    bool v4 = inet_is_v4(to);
    if (inet_is_any(to)) {
        bool mapped = v4 || (sk->family == ABI_AF_INET6 && inet_is_v4(&sk->in.self));
        uint16_t port = to->port;
        inet_loopback(mapped, to);
        to->port = port;
        return 0;
    }
    if (v4 && sk->family == ABI_AF_INET6 && sk->in.v6only) {
        return -ENETUNREACH;
    }
    return inet_is_local(to) ? 0 : -ENETUNREACH;
}

int inet_getname(struct sock *sk, struct sock_name *name, bool peer)
{
    if (peer && (sk->in.peer.port == 0 || sk->state != SOCK_CONNECTED ||
                 (sk->type == ABI_SOCK_STREAM && tcp_state(sk) == TCP_CLOSE_STATE))) {
        return -ENOTCONN;
    }
    inet_to_name(sk, peer ? &sk->in.peer : &sk->in.self, name);
    return 0;
}
