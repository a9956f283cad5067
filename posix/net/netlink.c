/* AF_NETLINK, NETLINK_ROUTE: enough to ask which interfaces and addresses there are.
 *
 * A dump of links, addresses or routes is answered with what lo is; everything else with an error
 * message.  Nothing ever changes, so multicast groups can be joined and stay silent.
 */
#include "fd/fd_int.h"
#include "net/cookie.h"
#include "net/net.h"

#include <linux/rtnetlink.h>
#include <string.h>

#define REQUEST_MAX 4096u
#define LO_INDEX 1
#define ARPHRD_LOOPBACK_ 772
#define IFF_LO 0x10049u /* UP | LOOPBACK | RUNNING | LOWER_UP */
/* linux/if_link.h and if_addr.h, which bring more than they need on the host */
#define IFLA_ADDRESS_ 1
#define IFLA_BROADCAST_ 2
#define IFLA_IFNAME_ 3
#define IFLA_MTU_ 4
#define IFLA_TXQLEN_ 13
#define IFLA_OPERSTATE_ 16
#define IFA_ADDRESS_ 1
#define IFA_LOCAL_ 2
#define IFA_LABEL_ 3

static struct sock *netlink_all;
static uint32_t next_port = 0x40000000; /* of those that did not choose: no process has it */

struct ifaddrmsg_ {
    uint8_t family, prefixlen, flags, scope;
    uint32_t index;
};

/* ---- messages being made ---- */

struct reply {
    char bytes[512];
    unsigned len;
};

static void put(struct reply *r, const void *data, unsigned n)
{
    memcpy(r->bytes + r->len, data, n);
    memset(r->bytes + r->len + n, 0, NLMSG_ALIGN(n) - n);
    r->len += NLMSG_ALIGN(n);
}

static void put_attr(struct reply *r, unsigned type, const void *data, unsigned n)
{
    struct rtattr a = {.rta_len = (uint16_t)(sizeof(a) + n), .rta_type = (uint16_t)type};
    put(r, &a, sizeof(a));
    put(r, data, n);
}

static unsigned begin(struct reply *r, const struct sock *sk, const struct nlmsghdr *asked,
                      unsigned type, unsigned flags)
{
    struct nlmsghdr h = {.nlmsg_type = (uint16_t)type,
                         .nlmsg_flags = (uint16_t)flags,
                         .nlmsg_seq = asked->nlmsg_seq,
                         .nlmsg_pid = sk->nl.port};
    unsigned at = r->len;
    put(r, &h, sizeof(h));
    return at;
}

static void end(struct reply *r, unsigned at)
{
    uint32_t len = r->len - at;
    memcpy(r->bytes + at, &len, sizeof(len));
}

static void put_link(struct reply *r, const struct sock *sk, const struct nlmsghdr *asked,
                     unsigned flags)
{
    static const uint8_t no_address[6];
    uint32_t mtu = 65536, queue = 1000;
    uint8_t state = 0;
    struct ifinfomsg m = {.ifi_type = ARPHRD_LOOPBACK_, .ifi_index = LO_INDEX, .ifi_flags = IFF_LO};
    unsigned at = begin(r, sk, asked, RTM_NEWLINK, flags);
    put(r, &m, sizeof(m));
    put_attr(r, IFLA_IFNAME_, "lo", 3);
    put_attr(r, IFLA_TXQLEN_, &queue, sizeof(queue));
    put_attr(r, IFLA_OPERSTATE_, &state, sizeof(state));
    put_attr(r, IFLA_MTU_, &mtu, sizeof(mtu));
    put_attr(r, IFLA_ADDRESS_, no_address, sizeof(no_address));
    put_attr(r, IFLA_BROADCAST_, no_address, sizeof(no_address));
    end(r, at);
}

static void put_address(struct reply *r, const struct sock *sk, const struct nlmsghdr *asked,
                        unsigned family)
{
    struct inet_end lo;
    bool v4 = family == ABI_AF_INET;
    struct ifaddrmsg_ m = {.family = (uint8_t)family,
                           .prefixlen = v4 ? 8 : 128,
                           .flags = 0x80, /* IFA_F_PERMANENT */
                           .scope = 254,  /* of this host */
                           .index = LO_INDEX};
    inet_loopback(v4, &lo);
    unsigned at = begin(r, sk, asked, RTM_NEWADDR, NLM_F_MULTI);
    put(r, &m, sizeof(m));
    if (v4) {
        put_attr(r, IFA_ADDRESS_, lo.ip + 12, 4);
        put_attr(r, IFA_LOCAL_, lo.ip + 12, 4);
        put_attr(r, IFA_LABEL_, "lo", 3);
    } else {
        put_attr(r, IFA_ADDRESS_, lo.ip, 16);
    }
    end(r, at);
}

/* ---- answering ---- */

static void send_reply(struct sock *sk, const struct reply *r)
{
    struct iobuf b = iobuf_kernel((void *)r->bytes, r->len);
    int err;
    struct packet *p = packet_make(&b, r->len, &err);
    if (p == NULL || sk->packets.bytes + p->charge > sk->rcvbuf) {
        if (p != NULL) {
            packet_free(p);
        }
        sk->err = ENOBUFS; /* an answer is lost */
        sock_wake_all(sk);
        return;
    }
    packet_queue(sk, p, NULL);
}

static void send_error(struct sock *sk, const struct nlmsghdr *asked, int error)
{
    struct reply r = {.len = 0};
    struct nlmsgerr e = {.error = error, .msg = *asked};
    unsigned at = begin(&r, sk, asked, NLMSG_ERROR, error != 0 ? 0 : NLM_F_CAPPED);
    put(&r, &e, sizeof(e));
    end(&r, at);
    send_reply(sk, &r);
}

static void send_dump(struct sock *sk, const struct nlmsghdr *asked, unsigned family)
{
    struct reply r = {.len = 0};
    int32_t zero = 0;
    if (asked->nlmsg_type == RTM_GETLINK) {
        put_link(&r, sk, asked, NLM_F_MULTI);
    } else if (asked->nlmsg_type == RTM_GETADDR) {
        if (family == ABI_AF_UNSPEC || family == ABI_AF_INET) {
            put_address(&r, sk, asked, ABI_AF_INET);
        }
        if (family == ABI_AF_UNSPEC || family == ABI_AF_INET6) {
            put_address(&r, sk, asked, ABI_AF_INET6);
        }
    }
    if (r.len > 0) {
        send_reply(sk, &r);
    }
    r.len = 0;
    unsigned at = begin(&r, sk, asked, NLMSG_DONE, NLM_F_MULTI);
    put(&r, &zero, sizeof(zero));
    end(&r, at);
    send_reply(sk, &r);
}

/* One link that is asked for, by its index or name. */
static int get_link(struct sock *sk, const struct nlmsghdr *asked, const char *body, unsigned n)
{
    struct reply r = {.len = 0};
    struct ifinfomsg m;
    if (n < sizeof(m)) {
        return -EINVAL;
    }
    memcpy(&m, body, sizeof(m));
    bool found = m.ifi_index == LO_INDEX;
    for (unsigned at = NLMSG_ALIGN(sizeof(m));
         m.ifi_index == 0 && at + sizeof(struct rtattr) < n;) {
        struct rtattr a;
        memcpy(&a, body + at, sizeof(a));
        if (a.rta_len < sizeof(a) || a.rta_len > n - at) {
            return -EINVAL;
        }
        if (a.rta_type == IFLA_IFNAME_) {
            const char *name = body + at + sizeof(a);
            found = a.rta_len - sizeof(a) >= 3 && memcmp(name, "lo", 3) == 0;
        }
        at += NLMSG_ALIGN(a.rta_len);
    }
    if (!found) {
        return -ENODEV;
    }
    put_link(&r, sk, asked, 0);
    send_reply(sk, &r);
    return 0;
}

static int answer(struct sock *sk, const struct nlmsghdr *asked, const char *body, unsigned n)
{
    unsigned type = asked->nlmsg_type;
    bool dump = (asked->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
    if (type < RTM_BASE) {
        return 0; /* NLMSG_NOOP and the like */
    }
    if (n < 1) {
        return 0; /* as Linux: no family, nothing to do */
    }
    if ((type & 3) == 2 && dump) { /* the GET of each kind */
        send_dump(sk, asked, (uint8_t)body[0]);
        return 1;
    }
    if (type == RTM_GETLINK) {
        return get_link(sk, asked, body, n);
    }
    return (type & 3) != 2 && !capable(CAP_NET_ADMIN) ? -EPERM : -EOPNOTSUPP;
}

static void requests(struct sock *sk, const char *bytes, unsigned n)
{
    struct nlmsghdr h;
    for (unsigned at = 0; n - at >= sizeof(h);) {
        memcpy(&h, bytes + at, sizeof(h));
        if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > n - at) {
            return;
        }
        int err = 0;
        if ((h.nlmsg_flags & NLM_F_REQUEST) != 0) {
            err = answer(sk, &h, bytes + at + sizeof(h), h.nlmsg_len - (unsigned)sizeof(h));
        }
        if (err < 0 || ((h.nlmsg_flags & NLM_F_ACK) != 0 && err == 0)) {
            send_error(sk, &h, err);
        }
        unsigned step = NLMSG_ALIGN(h.nlmsg_len);
        if (step >= n - at) {
            return;
        }
        at += step;
    }
}

/* ---- the socket ---- */

static int netlink_create(unsigned family, unsigned type, unsigned protocol, struct sock **out);
const struct family netlink_family = {.family = ABI_AF_NETLINK, .create = netlink_create};

static struct sock *port_owner(uint32_t port)
{
    struct sock *sk = netlink_all;
    while (sk != NULL && (sk->nl.port != port || sk->dead)) {
        sk = sk->all_next;
    }
    return sk;
}

static int choose(struct sock *sk, uint32_t port)
{
    if (port == 0) {
        port = (uint32_t)current->proc->pid;
        while (port_owner(port) != NULL) {
            port = next_port++ | 0x40000000;
        }
    } else if (port_owner(port) != NULL) {
        return -EADDRINUSE;
    }
    sk->nl.port = port;
    return 0;
}

static int check(const struct sock_name *name)
{
    return name->len < sizeof(name->nl) || name->family != ABI_AF_NETLINK ? -EINVAL : 0;
}

static int netlink_bind(struct sock *sk, const struct sock_name *name)
{
    int err = check(name);
    if (err < 0) {
        return err;
    }
    if (sk->nl.port != 0 && name->nl.pid != sk->nl.port) {
        return -EINVAL;
    }
    sk->nl.groups = name->nl.groups;
    return sk->nl.port != 0 ? 0 : choose(sk, name->nl.pid);
}

static int netlink_connect(struct sock *sk, const struct sock_name *name, bool nonblock)
{
    if (name->family == ABI_AF_UNSPEC) {
        return 0;
    }
    int err = check(name);
    if (err == 0 && name->nl.pid != 0) {
        err = -EPERM; /* only the system answers */
    }
    return err == 0 && sk->nl.port == 0 ? choose(sk, 0) : err;
}

static int netlink_getname(struct sock *sk, struct sock_name *name, bool peer)
{
    memset(name, 0, sizeof(*name));
    name->len = sizeof(name->nl);
    name->nl.family = ABI_AF_NETLINK;
    name->nl.pid = peer ? 0 : sk->nl.port;
    name->nl.groups = peer ? 0 : sk->nl.groups;
    return 0;
}

static long netlink_send(struct sock *sk, struct iobuf *b, unsigned flags, struct sock_extra *x)
{
    size_t n = b->len;
    if ((flags & ABI_MSG_OOB) != 0) {
        return -EOPNOTSUPP;
    }
    if (x != NULL && x->name != NULL) {
        int err = check(x->name);
        if (err == 0 && (x->name->nl.pid != 0 || x->name->nl.groups != 0)) {
            err = capable(CAP_NET_ADMIN) ? -ECONNREFUSED : -EPERM;
        }
        if (err < 0) {
            return err;
        }
    }
    if (n > REQUEST_MAX) {
        return -EMSGSIZE;
    }
    int err = sk->nl.port == 0 ? choose(sk, 0) : 0;
    char *bytes = err == 0 ? mb_alloc(n + 1) : NULL;
    if (bytes == NULL) {
        return err < 0 ? err : -ENOBUFS;
    }
    err = n > 0 ? iobuf_get(b, bytes, n) : 0;
    if (err == 0) {
        requests(sk, bytes, (unsigned)n);
    }
    mb_free(bytes);
    return err < 0 ? err : (long)n;
}

static unsigned netlink_poll(struct sock *sk)
{
    unsigned events = ABI_POLLOUT | ABI_POLLWRNORM | ABI_POLLWRBAND;
    if (sk->packets.first != NULL) {
        events |= ABI_POLLIN | ABI_POLLRDNORM;
    }
    return sk->err != 0 ? events | ABI_POLLERR : events;
}

static long netlink_ioctl(struct sock *sk, uint64_t cmd, uint64_t arg)
{
    return -ENOTTY;
}

/* Options change what errors and changes look like, of which there are none. */
static int netlink_set(struct sock *sk, int level, int name, const void *value, unsigned n)
{
    return level == ABI_SOL_NETLINK && n >= 4 ? 0
           : level == ABI_SOL_NETLINK         ? -EINVAL
                                              : -ENOPROTOOPT;
}

static void netlink_release(struct sock *sk)
{
    packets_clear(sk);
    sk->nl.port = 0;
}

int cookie_sock(int fd, struct sock **out)
{
    struct file *f = fd_get(fd);
    if (f == NULL) {
        return -EBADF;
    }
    struct sock *sk = sock_of(f);
    int err = sk == NULL ? -ENOTSOCK : sk->family != ABI_AF_NETLINK ? -EINVAL : 0;
    if (err == 0) {
        *out = sock_ref(sk);
    }
    file_unref(f);
    return err;
}

void cookie_drop(struct sock *sk)
{
    sock_unref(sk);
}

void cookie_send(struct sock *sk, const void *bytes, size_t n)
{
    int err;
    struct iobuf b = iobuf_kernel((void *)(uintptr_t)bytes, n);
    struct packet *p = sk->dead || sk->packets.bytes > sk->rcvbuf ? NULL : packet_make(&b, n, &err);
    if (p != NULL) {
        packet_queue(sk, p, NULL);
    }
    sock_unref(sk);
}

static const struct sock_ops netlink_ops = {
    .bind = netlink_bind,
    .connect = netlink_connect,
    .getname = netlink_getname,
    .send = netlink_send,
    .recv = packet_recv,
    .poll = netlink_poll,
    .ioctl = netlink_ioctl,
    .set = netlink_set,
    .release = netlink_release,
};

static int netlink_create(unsigned family, unsigned type, unsigned protocol, struct sock **out)
{
    if (type != ABI_SOCK_DGRAM && type != ABI_SOCK_RAW) {
        return -ESOCKTNOSUPPORT;
    }
    if (protocol != NETLINK_ROUTE) {
        return -EPROTONOSUPPORT;
    }
    *out = sock_make(&netlink_ops, &netlink_all, family, type, protocol);
    return *out != NULL ? 0 : -ENOMEM;
}
