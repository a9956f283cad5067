/* /proc/net: the sockets there are, in Linux's formats. */
#include "fs/procfs.h"
#include "net/net.h"

#include <stdio.h>

typedef unsigned long ul;

static ul inode_of(const struct sock *sk)
{
    return sk->file != NULL ? (ul)sk->file->inode->ino : 0;
}

static int show_unix(struct text *t, struct inode *ino)
{
    text_printf(t, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    for (const struct sock *sk = unix_all; sk != NULL; sk = sk->all_next) {
        unsigned state = sk->state == SOCK_CONNECTED ? 3 : 1; /* SS_CONNECTED, SS_UNCONNECTED */
        char path[128] = "";
        if (sk->dead) {
            continue;
        }
        if (sk->un.addr != NULL) {
            path[0] = ' ';
            unix_addr_text(sk->un.addr, path + 1, sizeof(path) - 1);
        }
        text_printf(t, "%016lx: %08X %08X %08X %04X %02X %5lu%s\n", (ul)0, sk->refs, 0,
                    sk->state == SOCK_LISTENING ? 0x10000 : 0, sk->type, state, inode_of(sk), path);
    }
    return 0;
}

/* An address as 32-bit words of the machine's byte order. */
static void put_end(char *buf, size_t n, const struct inet_end *e, bool v6)
{
    size_t at = 0;
    for (unsigned i = v6 ? 0 : 12; i < 16; i += 4) {
        at += (size_t)snprintf(buf + at, n - at, "%02X%02X%02X%02X", e->ip[i + 3], e->ip[i + 2],
                               e->ip[i + 1], e->ip[i]);
    }
    snprintf(buf + at, n - at, ":%04X", e->port);
}

/* A line, filled up as Linux does for IPv4. */
static void put_line(struct text *t, const char *line, int width)
{
    text_printf(t, "%-*s\n", width, line);
}

static void show_sock(struct text *t, const struct sock *sk, unsigned number)
{
    bool v6 = sk->family == ABI_AF_INET6, tcp = sk->type == ABI_SOCK_STREAM;
    unsigned state = tcp ? tcp_state(sk) : sk->state == SOCK_CONNECTED ? 1 : TCP_CLOSE_STATE;
    unsigned rx = sk->state == SOCK_LISTENING ? sk->pending_count
                  : tcp                       ? stream_bytes(&sk->rx)
                                              : sk->packets.bytes;
    char self[48], peer[48], line[256];
    struct inet_end none;
    inet_any(sk->family, &none);
    put_end(self, sizeof(self), &sk->in.self, v6);
    put_end(peer, sizeof(peer), sk->in.peer.port != 0 ? &sk->in.peer : &none, v6);
    snprintf(line, sizeof(line),
             "%*u: %s %s %02X %08X:%08X %02X:%08lX %08X %5u %8d %lu %u %016lx %s", tcp ? 4 : 5,
             number, self, peer, state, 0u, rx, 0u, (ul)0, 0u, sk->in.uid, 0, inode_of(sk),
             sk->refs, (ul)0, tcp ? "100 0 0 10 0" : "0");
    put_line(t, line, v6 ? 0 : tcp ? 149 : 127);
}

static int show_inet(struct text *t, unsigned family, unsigned type)
{
    bool v6 = family == ABI_AF_INET6, tcp = type == ABI_SOCK_STREAM;
    unsigned n = 0;
    char line[256];
    snprintf(line, sizeof(line),
             "%s  sl  local_address %s st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
             "inode%s",
             tcp || v6 ? "" : " ",
             v6 ? "                        remote_address                       " : "rem_address  ",
             tcp ? "" : " ref pointer drops");
    put_line(t, line, v6 ? 0 : tcp ? 149 : 127);
    for (const struct sock *sk = inet_all; sk != NULL; sk = sk->all_next) {
        if (!sk->dead && sk->family == family && sk->type == type && sk->in.bound) {
            show_sock(t, sk, n++);
        }
    }
    return 0;
}

static int show_tcp(struct text *t, struct inode *ino)
{
    return show_inet(t, ABI_AF_INET, ABI_SOCK_STREAM);
}

static int show_udp(struct text *t, struct inode *ino)
{
    return show_inet(t, ABI_AF_INET, ABI_SOCK_DGRAM);
}

static int show_tcp6(struct text *t, struct inode *ino)
{
    return show_inet(t, ABI_AF_INET6, ABI_SOCK_STREAM);
}

static int show_udp6(struct text *t, struct inode *ino)
{
    return show_inet(t, ABI_AF_INET6, ABI_SOCK_DGRAM);
}

static int show_dev(struct text *t, struct inode *ino)
{
    text_printf(t, "Inter-|   Receive                                                |  Transmit\n"
                   " face |bytes    packets errs drop fifo frame compressed multicast|"
                   "bytes    packets errs drop fifo colls carrier compressed\n");
    ul n = (ul)net_counted.packets, b = (ul)net_counted.bytes;
    text_printf(t, "%6s: %7lu %7lu %4u %4u %4u %5u %10u %9u %8lu %7lu %4u %4u %4u %5u %7u %10u\n",
                "lo", b, n, 0, 0, 0, 0, 0, 0, b, n, 0, 0, 0, 0, 0, 0);
    return 0;
}

static int show_if_inet6(struct text *t, struct inode *ino)
{
    text_printf(t, "00000000000000000000000000000001 01 80 10 80       lo\n");
    return 0;
}

static int show_route(struct text *t, struct inode *ino)
{
    text_printf(t, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\t"
                   "IRTT                                                       \n");
    return 0;
}

/* There are no raw sockets. */
static int show_raw(struct text *t, struct inode *ino)
{
    text_printf(t, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
                   "uid  timeout inode ref pointer drops\n");
    return 0;
}

static int show_arp(struct text *t, struct inode *ino)
{
    text_printf(t,
                "IP address       HW type     Flags       HW address            Mask     Device\n");
    return 0;
}

#define ENTRY(n, f)                                           \
    {                                                         \
        .name = n, .mode = 0444, .kind = PROC_FILE, .show = f \
    }

const struct proc_entry proc_net_files[] = {
    ENTRY("arp", show_arp),   ENTRY("dev", show_dev),   ENTRY("if_inet6", show_if_inet6),
    ENTRY("raw", show_raw),   ENTRY("raw6", show_raw),  ENTRY("route", show_route),
    ENTRY("tcp", show_tcp),   ENTRY("tcp6", show_tcp6), ENTRY("udp", show_udp),
    ENTRY("udp6", show_udp6), ENTRY("unix", show_unix), {.name = NULL},
};
