/* getsockopt and setsockopt: what all families share (SOL_SOCKET); other levels are the family's. */
#include "include/ptime.h"
#include "net/net.h"

#include <asm/socket.h>
#include <string.h>

#define VALUE_MAX 256u
#define BUFFER_MAX SOCK_BUFFER /* net.core.[rw]mem_max */
#define FORCE_MAX (4u << 20)
#define SNDBUF_MIN 4608u
#define RCVBUF_MIN 2304u

struct flag {
    int name;
    size_t at;
};
#define FLAG(n, f)                  \
    {                               \
        n, offsetof(struct sock, f) \
    }
static const struct flag flags[] = {
    FLAG(SO_REUSEADDR, reuseaddr), FLAG(SO_REUSEPORT, reuseport), FLAG(SO_KEEPALIVE, keepalive),
    FLAG(SO_BROADCAST, broadcast), FLAG(SO_DONTROUTE, dontroute), FLAG(SO_OOBINLINE, oobinline),
    FLAG(SO_PASSCRED, passcred),   FLAG(SO_NO_CHECK, no_check),   FLAG(SO_DEBUG, debug),
};

static bool *flag_of(struct sock *sk, int name)
{
    for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        if (flags[i].name == name) {
            return (bool *)((char *)sk + flags[i].at);
        }
    }
    return NULL;
}

static uint32_t doubled(uint32_t value, uint32_t max, uint32_t min)
{
    uint32_t n = (value < max ? value : max) * 2;
    return n > min ? n : min;
}

static int set_timeout(int64_t *ns, const void *value, unsigned n)
{
    struct ktimeval tv;
    if (n < sizeof(tv)) {
        return -EINVAL;
    }
    memcpy(&tv, value, sizeof(tv));
    if (tv.usec < 0 || tv.usec >= 1000000) {
        return -EDOM;
    }
    if (tv.sec < 0) {
        *ns = 1; /* over at once */
    } else if (tv.sec >= INT64_MAX / NSEC_PER_SEC / 2) {
        *ns = 0;
    } else {
        *ns = tv.sec * NSEC_PER_SEC + tv.usec * 1000;
    }
    return 0;
}

static int set_number(struct sock *sk, int name, int32_t value)
{
    bool root = capable(CAP_NET_ADMIN), *flag = flag_of(sk, name);
    uint32_t u = (uint32_t)value;
    if (flag != NULL) {
        if (name == SO_DEBUG && value != 0 && !root) {
            return -EACCES;
        }
        *flag = value != 0;
        return 0;
    }
    switch (name) {
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
        if (!root) {
            return -EPERM;
        }
        u = value < 0 ? 0 : u;
        break;
    default:
        break;
    }
    switch (name) {
    case SO_SNDBUF:
    case SO_SNDBUFFORCE:
        sk->sndbuf = doubled(u, name == SO_SNDBUF ? BUFFER_MAX : FORCE_MAX, SNDBUF_MIN);
        wait_wake(&sk->wq);
        return 0;
    case SO_RCVBUF:
    case SO_RCVBUFFORCE:
        sk->rcvbuf = doubled(u, name == SO_RCVBUF ? BUFFER_MAX : FORCE_MAX, RCVBUF_MIN);
        if (sk->peer != NULL) {
            wait_wake(&sk->peer->wq);
        }
        return 0;
    case SO_RCVLOWAT:
        sk->rcvlowat = value < 0 ? INT32_MAX : value == 0 ? 1 : u;
        return 0;
    case SO_PRIORITY:
        if (u > 6 && !root) {
            return -EPERM;
        }
        sk->priority = u;
        return 0;
    case SO_MARK:
        sk->mark = root ? u : sk->mark;
        return root ? 0 : -EPERM;
    case SO_TYPE:
    case SO_PROTOCOL:
    case SO_DOMAIN:
    case SO_ERROR:
    default:
        return -ENOPROTOOPT;
    }
}

static int set_socket(struct sock *sk, int name, const void *value, unsigned n)
{
    int32_t number;
    if (name == SO_BINDTODEVICE) { /* there is lo, and what is sent stays on it */
        return n == 0 || ((const char *)value)[0] == 0 ? 0
               : n >= 2 && strncmp(value, "lo", n) == 0 && (n == 2 || ((const char *)value)[2] == 0)
                   ? 0
                   : -ENODEV;
    }
    if (n < sizeof(number)) {
        return -EINVAL;
    }
    switch (name) {
    case SO_LINGER:
        if (n < sizeof(sk->linger)) {
            return -EINVAL;
        }
        memcpy(&sk->linger, value, sizeof(sk->linger));
        sk->linger.on = sk->linger.on != 0;
        return 0;
    case SO_RCVTIMEO_OLD:
    case SO_RCVTIMEO_NEW:
        return set_timeout(&sk->rcvtimeo, value, n);
    case SO_SNDTIMEO_OLD:
    case SO_SNDTIMEO_NEW:
        return set_timeout(&sk->sndtimeo, value, n);
    default:
        memcpy(&number, value, sizeof(number));
        return set_number(sk, name, number);
    }
}

long sys_setsockopt(const uint64_t a[6])
{
    uint64_t value[VALUE_MAX / 8];
    struct file *f;
    int err;
    int32_t n = (int32_t)a[4];
    if (n < 0) {
        return -EINVAL;
    }
    struct sock *sk = sock_get((int)a[0], &f, &err);
    if (sk == NULL) {
        return err;
    }
    unsigned size = (uint32_t)n < VALUE_MAX ? (uint32_t)n : VALUE_MAX;
    if (size > 0 && mb_copy_in(value, a[3], size) < 0) {
        err = -EFAULT;
    } else if ((int)a[1] == ABI_SOL_SOCKET) {
        err = set_socket(sk, (int)a[2], value, size);
    } else {
        err = sk->ops->set != NULL ? sk->ops->set(sk, (int)a[1], (int)a[2], value, size)
                                   : -EOPNOTSUPP;
    }
    file_unref(f);
    return err;
}

/* ---- getsockopt ---- */

static int get_number(struct sock *sk, int name, int32_t *value)
{
    const bool *flag = flag_of(sk, name);
    if (flag != NULL) {
        *value = *flag;
        return 0;
    }
    switch (name) {
    case SO_TYPE:
        *value = sk->type;
        return 0;
    case SO_PROTOCOL:
        *value = sk->protocol;
        return 0;
    case SO_DOMAIN:
        *value = sk->family;
        return 0;
    case SO_ERROR:
        *value = -sock_error(sk);
        return 0;
    case SO_ACCEPTCONN:
        *value = sk->state == SOCK_LISTENING;
        return 0;
    case SO_SNDBUF:
        *value = (int32_t)sk->sndbuf;
        return 0;
    case SO_RCVBUF:
        *value = (int32_t)sk->rcvbuf;
        return 0;
    case SO_RCVLOWAT:
        *value = (int32_t)sk->rcvlowat;
        return 0;
    case SO_SNDLOWAT:
        *value = 1;
        return 0;
    case SO_PRIORITY:
        *value = (int32_t)sk->priority;
        return 0;
    case SO_MARK:
        *value = (int32_t)sk->mark;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static void get_timeout(int64_t ns, void *value, unsigned *n)
{
    struct ktimeval tv = {ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 1000};
    memcpy(value, &tv, sizeof(tv));
    *n = sizeof(tv);
}

static int get_socket(struct sock *sk, int name, void *value, unsigned *n)
{
    int32_t number;
    int err;
    switch (name) {
    case SO_LINGER:
        memcpy(value, &sk->linger, sizeof(sk->linger));
        *n = sizeof(sk->linger);
        return 0;
    case SO_RCVTIMEO_OLD:
    case SO_RCVTIMEO_NEW:
        get_timeout(sk->rcvtimeo, value, n);
        return 0;
    case SO_SNDTIMEO_OLD:
    case SO_SNDTIMEO_NEW:
        get_timeout(sk->sndtimeo, value, n);
        return 0;
    case SO_PEERCRED:
        memcpy(value, &sk->peercred, sizeof(sk->peercred));
        *n = sizeof(sk->peercred);
        return 0;
    case SO_BINDTODEVICE:
        *n = 0;
        return 0;
    default:
        err = get_number(sk, name, &number);
        memcpy(value, &number, sizeof(number));
        *n = sizeof(number);
        return err;
    }
}

long sys_getsockopt(const uint64_t a[6])
{
    uint64_t value[VALUE_MAX / 8] = {0};
    unsigned n = 0;
    struct file *f;
    int err;
    int32_t room;
    struct sock *sk = sock_get((int)a[0], &f, &err);
    if (sk == NULL) {
        return err;
    }
    if (mb_copy_in(&room, a[4], sizeof(room)) < 0) {
        err = -EFAULT;
    } else if (room < 0) {
        err = -EINVAL;
    } else if ((int)a[1] == ABI_SOL_SOCKET) {
        err = get_socket(sk, (int)a[2], value, &n);
    } else {
        n = VALUE_MAX;
        err =
            sk->ops->get != NULL ? sk->ops->get(sk, (int)a[1], (int)a[2], value, &n) : -EOPNOTSUPP;
    }
    file_unref(f);
    if (err < 0) {
        return err;
    }
    room = (uint32_t)room < n ? room : (int32_t)n;
    if (room > 0 && mb_copy_out(a[3], value, (size_t)room) < 0) {
        return -EFAULT;
    }
    return mb_copy_out(a[4], &room, sizeof(room));
}
