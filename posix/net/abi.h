/* Socket constants and structures of the Linux ABI that no uAPI header has, or that glibc's headers
 * define another way on the host. */
#ifndef POSIX_NET_ABI_H
#define POSIX_NET_ABI_H

#include <stdint.h>

#define ABI_AF_UNSPEC 0
#define ABI_AF_UNIX 1
#define ABI_AF_INET 2
#define ABI_AF_INET6 10
#define ABI_AF_NETLINK 16
#define ABI_AF_MAX 46

#define ABI_SOCK_STREAM 1
#define ABI_SOCK_DGRAM 2
#define ABI_SOCK_RAW 3
#define ABI_SOCK_SEQPACKET 5
#define ABI_SOCK_PACKET 10
#define ABI_SOCK_TYPE_MASK 0xfu

#define ABI_SHUT_RD 0
#define ABI_SHUT_WR 1
#define ABI_SHUT_RDWR 2

#define ABI_MSG_OOB 0x1u
#define ABI_MSG_PEEK 0x2u
#define ABI_MSG_CTRUNC 0x8u
#define ABI_MSG_TRUNC 0x20u
#define ABI_MSG_DONTWAIT 0x40u
#define ABI_MSG_EOR 0x80u
#define ABI_MSG_WAITALL 0x100u
#define ABI_MSG_ERRQUEUE 0x2000u
#define ABI_MSG_NOSIGNAL 0x4000u
#define ABI_MSG_WAITFORONE 0x10000u
#define ABI_MSG_CMSG_CLOEXEC 0x40000000u
#define ABI_MSG_CMSG_COMPAT 0x80000000u /* the kernel's own: never from programs here */

#define ABI_SOL_SOCKET 1
#define ABI_SOL_IP 0
#define ABI_SOL_TCP 6
#define ABI_SOL_UDP 17
#define ABI_SOL_IPV6 41
#define ABI_SOL_NETLINK 270
#define ABI_SCM_RIGHTS 1
#define ABI_SCM_CREDENTIALS 2
#define ABI_SCM_MAX_FD 253
#define ABI_SOMAXCONN 4096
#define ABI_UIO_MAXIOV 1024

#define ABI_SIOCOUTQ 0x5411u
#define ABI_SIOCINQ 0x541bu
#define ABI_SIOCATMARK 0x8905u

struct abi_msghdr {
    uint64_t name;
    int32_t namelen, pad1;
    uint64_t iov, iovlen, control, controllen;
    uint32_t flags, pad2;
};
_Static_assert(sizeof(struct abi_msghdr) == 56, "struct msghdr layout");
struct abi_mmsghdr {
    struct abi_msghdr hdr;
    uint32_t len, pad;
};
_Static_assert(sizeof(struct abi_mmsghdr) == 64, "struct mmsghdr layout");

struct abi_cmsghdr {
    uint64_t len;
    int32_t level, type;
};
#define ABI_CMSG_ALIGN(n) (((n) + 7) & ~(uint64_t)7)

struct abi_ucred {
    int32_t pid;
    uint32_t uid, gid;
};

struct abi_sockaddr_in {
    uint16_t family, port; /* big endian */
    uint8_t addr[4], zero[8];
};
_Static_assert(sizeof(struct abi_sockaddr_in) == 16, "struct sockaddr_in layout");
struct abi_sockaddr_in6 {
    uint16_t family, port;
    uint32_t flowinfo;
    uint8_t addr[16];
    uint32_t scope;
};
_Static_assert(sizeof(struct abi_sockaddr_in6) == 28, "struct sockaddr_in6 layout");
struct abi_sockaddr_nl {
    uint16_t family, pad;
    uint32_t pid, groups;
};
_Static_assert(sizeof(struct abi_sockaddr_nl) == 12, "struct sockaddr_nl layout");
struct abi_linger {
    int32_t on, seconds;
};

static inline uint16_t net16(uint16_t x)
{
    return (uint16_t)(x << 8 | x >> 8);
}

#endif
