/* The loopback interface, as the ioctls of sockets tell of it.  It cannot be changed. */
#include "net/net.h"

#include <linux/sockios.h>
#include <string.h>

#define IFNAME_SIZE 16
#define LO_INDEX 1
#define LO_MTU 65536
#define LO_FLAGS 0x49 /* IFF_UP | IFF_LOOPBACK | IFF_RUNNING */
#define LO_QUEUE 1000
#define ARPHRD_LOOPBACK_ 772

struct net_counted net_counted;

struct abi_ifreq {
    char name[IFNAME_SIZE];
    union {
        struct abi_sockaddr_in addr;
        struct {
            uint16_t family;
            char data[14];
        } hardware;
        int32_t number;
        int16_t flags;
        uint8_t map[24];
    };
};
_Static_assert(sizeof(struct abi_ifreq) == 40, "struct ifreq layout");

struct abi_ifconf {
    int32_t len, pad;
    uint64_t buf;
};

static void address(struct abi_ifreq *r, const char ip[4])
{
    memset(&r->addr, 0, sizeof(r->addr));
    r->addr.family = ABI_AF_INET;
    memcpy(r->addr.addr, ip, 4);
}

static long conf(uint64_t uarg)
{
    struct abi_ifconf c;
    struct abi_ifreq r = {.name = "lo"};
    if (mb_copy_in(&c, uarg, sizeof(c)) < 0) {
        return -EFAULT;
    }
    address(&r, "\x7f\0\0\1");
    if (c.buf == 0) {
        c.len = sizeof(r); /* what it would need */
    } else if (c.len < (int32_t)sizeof(r)) {
        c.len = 0;
    } else {
        if (mb_copy_out(c.buf, &r, sizeof(r)) < 0) {
            return -EFAULT;
        }
        c.len = sizeof(r);
    }
    return mb_copy_out(uarg, &c, sizeof(c));
}

/* Addresses are the internet family's. */
static int get_address(const struct sock *sk, uint32_t cmd, struct abi_ifreq *r)
{
    if (sk->family != ABI_AF_INET) {
        return -ENOTTY;
    }
    switch (cmd) {
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
        address(r, "\x7f\0\0\1");
        return 0;
    case SIOCGIFBRDADDR:
        address(r, "\0\0\0\0");
        return 0;
    default:
        address(r, "\xff\0\0\0");
        return 0;
    }
}

static int get(const struct sock *sk, uint32_t cmd, struct abi_ifreq *r)
{
    switch (cmd) {
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
    case SIOCGIFBRDADDR:
    case SIOCGIFNETMASK:
        return get_address(sk, cmd, r);
    case SIOCGIFFLAGS:
        r->flags = LO_FLAGS;
        return 0;
    case SIOCGIFMETRIC:
        r->number = 0;
        return 0;
    case SIOCGIFMTU:
        r->number = LO_MTU;
        return 0;
    case SIOCGIFINDEX:
        r->number = LO_INDEX;
        return 0;
    case SIOCGIFTXQLEN:
        r->number = LO_QUEUE;
        return 0;
    case SIOCGIFHWADDR:
        memset(&r->hardware, 0, sizeof(r->hardware));
        r->hardware.family = ARPHRD_LOOPBACK_;
        return 0;
    case SIOCGIFMAP:
        memset(r->map, 0, sizeof(r->map));
        return 0;
    default:
        return -ENOTTY;
    }
}

long lo_ioctl(struct sock *sk, uint64_t cmd, uint64_t arg)
{
    struct abi_ifreq r;
    uint32_t c = (uint32_t)cmd;
    if (c == SIOCGIFCONF) {
        return conf(arg);
    }
    if (c < SIOCGIFNAME || c > SIOCSIFMAP) {
        return -ENOTTY;
    }
    if (mb_copy_in(&r, arg, sizeof(r)) < 0) {
        return -EFAULT;
    }
    if (c == SIOCGIFNAME) {
        if (r.number != LO_INDEX) {
            return -ENODEV;
        }
        memset(r.name, 0, sizeof(r.name));
        memcpy(r.name, "lo", 2);
        return mb_copy_out(arg, &r, sizeof(r));
    }
    if (strncmp(r.name, "lo", IFNAME_SIZE) != 0) {
        return -ENODEV;
    }
    if (c == SIOCSIFFLAGS || c == SIOCSIFADDR || c == SIOCSIFMTU || c == SIOCSIFNETMASK) {
        /* ifconfig lo 127.0.0.1 up: as it is already; only root may say so */
        return capable(CAP_NET_ADMIN) ? 0 : -EPERM;
    }
    int err = get(sk, c, &r);
    return err < 0 ? err : mb_copy_out(arg, &r, sizeof(r));
}
