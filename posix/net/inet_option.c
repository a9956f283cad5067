/* Options of the levels IP, IPv6, TCP and UDP.  On a network that loses nothing most change nothing:
 * they are checked, kept and told. */
#include "net/net.h"

#include <linux/tcp.h>
#include <string.h>

/* linux/in.h and in6.h would bring their own sockaddr_in. */
#define IP_TOS_ 1
#define IP_TTL_ 2
#define IP_MTU_DISCOVER_ 10
#define IP_RECVERR_ 11
#define IP_FREEBIND_ 15
#define IP_MTU_ 14
#define IP_BIND_ADDRESS_NO_PORT_ 24
#define IP_MULTICAST_TTL_ 33
#define IP_MULTICAST_LOOP_ 34
#define IPV6_UNICAST_HOPS_ 16
#define IPV6_MTU_DISCOVER_ 23
#define IPV6_RECVERR_ 25
#define IPV6_V6ONLY_ 26
#define IPV6_TCLASS_ 67
#define LO_MTU 65536

struct range {
    int level, name;
    int32_t min, max, initial;
    uint8_t slot;
};
static const struct range ranges[] = {
    {ABI_SOL_IP, IP_TOS_, INT32_MIN, INT32_MAX, 0, 0},
    {ABI_SOL_IP, IP_TTL_, -1, 255, 64, 1},
    {ABI_SOL_IP, IP_MTU_DISCOVER_, 0, 5, 1, 2},
    {ABI_SOL_IP, IP_FREEBIND_, INT32_MIN, INT32_MAX, 0, 3},
    {ABI_SOL_IP, IP_BIND_ADDRESS_NO_PORT_, INT32_MIN, INT32_MAX, 0, 4},
    {ABI_SOL_IP, IP_MULTICAST_TTL_, -1, 255, 1, 5},
    {ABI_SOL_IP, IP_MULTICAST_LOOP_, INT32_MIN, INT32_MAX, 1, 6},
    {ABI_SOL_IPV6, IPV6_UNICAST_HOPS_, -1, 255, 64, 7},
    {ABI_SOL_IPV6, IPV6_MTU_DISCOVER_, 0, 5, 1, 8},
    {ABI_SOL_IPV6, IPV6_TCLASS_, -1, 255, 0, 9},
    {ABI_SOL_TCP, TCP_NODELAY, INT32_MIN, INT32_MAX, 0, 10},
    {ABI_SOL_TCP, TCP_CORK, INT32_MIN, INT32_MAX, 0, 11},
    {ABI_SOL_TCP, TCP_KEEPIDLE, 1, 32767, 7200, 12},
    {ABI_SOL_TCP, TCP_KEEPINTVL, 1, 32767, 75, 13},
    {ABI_SOL_TCP, TCP_KEEPCNT, 1, 127, 9, 14},
    {ABI_SOL_TCP, TCP_SYNCNT, 1, 127, 6, 15},
    {ABI_SOL_TCP, TCP_LINGER2, INT32_MIN, INT32_MAX, 60, 16},
    {ABI_SOL_TCP, TCP_DEFER_ACCEPT, INT32_MIN, INT32_MAX, 0, 17},
    {ABI_SOL_TCP, TCP_QUICKACK, INT32_MIN, INT32_MAX, 1, 18},
    {ABI_SOL_TCP, TCP_USER_TIMEOUT, 0, INT32_MAX, 0, 19},
};
_Static_assert(sizeof(((struct inet_part *)0)->option) / sizeof(int32_t) == 20, "a slot for each");

static const struct range *range_of(int level, int name)
{
    for (unsigned i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (ranges[i].level == level && ranges[i].name == name) {
            return &ranges[i];
        }
    }
    return NULL;
}

static bool level_ok(const struct sock *sk, int level)
{
    switch (level) {
    case ABI_SOL_IP:
        return true;
    case ABI_SOL_IPV6:
        return sk->family == ABI_AF_INET6;
    case ABI_SOL_TCP:
        return sk->type == ABI_SOCK_STREAM;
    default:
        return false;
    }
}

/* An int, or for the IP level also a single byte. */
static int number_get(int level, const void *value, unsigned n, int32_t *number)
{
    if (n >= sizeof(*number)) {
        memcpy(number, value, sizeof(*number));
        return 0;
    }
    if (level == ABI_SOL_IP && n >= 1) {
        *number = *(const uint8_t *)value;
        return 0;
    }
    return -EINVAL;
}

int inet_set(struct sock *sk, int level, int name, const void *value, unsigned n)
{
    int32_t number;
    if (!level_ok(sk, level)) {
        return -ENOPROTOOPT;
    }
    if (level == ABI_SOL_TCP && name == TCP_CONGESTION) {
        return n < 1 ? -EINVAL : strncmp(value, "reno", n) == 0 ? 0 : -ENOENT;
    }
    int err = number_get(level, value, n, &number);
    if (err < 0) {
        return err;
    }
    if (level == ABI_SOL_IPV6 && name == IPV6_V6ONLY_) {
        if (sk->in.bound) {
            return -EINVAL;
        }
        sk->in.v6only = number != 0;
        return 0;
    }
    if ((level == ABI_SOL_IP && name == IP_RECVERR_) ||
        (level == ABI_SOL_IPV6 && name == IPV6_RECVERR_)) {
        return number == 0 ? 0 : -ENOPROTOOPT; /* there is no error queue */
    }
    const struct range *r = range_of(level, name);
    if (r == NULL) {
        return -ENOPROTOOPT;
    }
    if (number < r->min || number > r->max || (number == 0 && r->initial == 64)) {
        return -EINVAL;
    }
    if (r->min == -1 && number == -1) {
        number = r->initial;
    }
    sk->in.option[r->slot] = number ^ r->initial; /* zeroes are what it begins with */
    return 0;
}

static int get_info(const struct sock *sk, void *value, unsigned *n)
{
    struct tcp_info info = {
        .tcpi_state = (uint8_t)tcp_state(sk),
        .tcpi_snd_mss = 32768,
        .tcpi_rcv_mss = 32768,
        .tcpi_advmss = 65483,
        .tcpi_pmtu = LO_MTU,
        .tcpi_rcv_space = sk->rcvbuf,
    };
    *n = sizeof(info) < *n ? sizeof(info) : *n;
    memcpy(value, &info, *n);
    return 0;
}

int inet_get(struct sock *sk, int level, int name, void *value, unsigned *n)
{
    int32_t number;
    if (!level_ok(sk, level)) {
        return sk->family == ABI_AF_INET ? -EOPNOTSUPP : -ENOPROTOOPT;
    }
    const struct range *r = range_of(level, name);
    if (r != NULL) {
        number = sk->in.option[r->slot] ^ r->initial;
        if (level == ABI_SOL_TCP && (name == TCP_NODELAY || name == TCP_CORK)) {
            number = number != 0;
        }
    } else if (level == ABI_SOL_IPV6 && name == IPV6_V6ONLY_) {
        number = sk->in.v6only;
    } else if (level == ABI_SOL_IP && name == IP_MTU_) {
        if (sk->state != SOCK_CONNECTED) {
            return -ENOTCONN;
        }
        number = LO_MTU;
    } else if (level == ABI_SOL_TCP && name == TCP_MAXSEG) {
        number = sk->state == SOCK_CONNECTED ? 65483 : 536;
    } else if (level == ABI_SOL_TCP && name == TCP_INFO) {
        return get_info(sk, value, n);
    } else if (level == ABI_SOL_TCP && name == TCP_CONGESTION) {
        memset(value, 0, 16);
        memcpy(value, "reno", 4);
        *n = 16;
        return 0;
    } else {
        return -ENOPROTOOPT;
    }
    memcpy(value, &number, sizeof(number));
    *n = sizeof(number);
    return 0;
}
