/*
 * The structures behind pointers: structs.h.
 */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "structs.h"

/* Now and then a byte of it is not as it should be. */
long put(struct rng *r, void *what, size_t n)
{
    if (n && one_in(r, 8)) {
        ((uint8_t *)what)[below(r, n)] ^= (uint8_t)(1 << below(r, 8));
    }
    return place(r, what, n);
}

static long some(struct rng *r, uint64_t most)
{
    return one_in(r, 10) ? (long)rnd(r) : (long)below(r, most);
}

long place_long(struct rng *r, long value)
{
    return put(r, &value, sizeof value);
}

/* Short waits: a life has other things to do. */
static struct timespec soon(struct rng *r)
{
    static const long odd[] = {-1, 1000000000, 999999999, INT64_MAX, INT64_MIN};
    struct timespec t = {0, one_in(r, 3) ? 0 : (long)below(r, 2000000)};

    if (one_in(r, 16)) {
        t.tv_nsec = PICK(r, odd);
    }
    if (one_in(r, 16)) {
        t.tv_sec = one_in(r, 2) ? PICK(r, odd) : (long)below(r, 100);
    }
    return t;
}

long place_timespec(struct rng *r, unsigned n)
{
    struct timespec t[2] = {soon(r), soon(r)};

    if (one_in(r, 10)) {
        t[1].tv_nsec = one_in(r, 2) ? 0x3fffffff : 0x3ffffffe; /* UTIME_NOW, UTIME_OMIT */
    }
    return one_in(r, 10) ? 0 : put(r, t, n * sizeof t[0]);
}

long place_timeval(struct rng *r)
{
    struct timespec t[2] = {soon(r), soon(r)};
    struct itimerval it = {{t[0].tv_sec, t[0].tv_nsec / 1000}, {t[1].tv_sec, t[1].tv_nsec / 1000}};

    return one_in(r, 10) ? 0 : put(r, &it, sizeof it);
}

long place_mask(struct rng *r)
{
    uint64_t mask[16];

    for (size_t i = 0; i < 16; i++) {
        mask[i] = one_in(r, 3) ? 0 : sparse(r);
    }
    return one_in(r, 4) ? 0 : put(r, mask, one_in(r, 2) ? 8 : sizeof mask);
}

long place_pollfds(struct rng *r)
{
    struct pollfd p[8];

    for (size_t i = 0; i < 8; i++) {
        p[i] = (struct pollfd){any_fd(r), (short)(one_in(r, 3) ? rnd(r) : POLLIN | POLLOUT), 0};
    }
    return put(r, p, sizeof p);
}

long place_epoll_event(struct rng *r)
{
    struct epoll_event e = {(uint32_t)(1u << below(r, 5)), {.u64 = rnd(r)}};

    if (one_in(r, 2)) {
        e.events |= 1u << (28 + below(r, 4));
    }
    return put(r, &e, sizeof e);
}

static void fill_iovec(struct rng *r, struct iovec *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        v[i].iov_base = (void *)any_pointer(r); /* NOLINT(performance-no-int-to-ptr) */
        v[i].iov_len = one_in(r, 16) ? (size_t)rnd(r) : below(r, 300);
    }
}

long place_iovec(struct rng *r)
{
    struct iovec v[8];

    fill_iovec(r, v, 8);
    return put(r, v, sizeof v);
}

static size_t make_sockaddr(struct rng *r, void *room)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)(7000 + below(r, 4)))};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t)(7000 + below(r, 4)))};
    uint32_t netlink[3] = {AF_NETLINK, (uint32_t)some(r, 3), (uint32_t)some(r, 2)};

    switch (below(r, 6)) {
    case 0:
        snprintf(un.sun_path, sizeof un.sun_path, "sock%u", (unsigned)below(r, 3));
        memcpy(room, &un, sizeof un);
        return sizeof un;
    case 1: /* abstract */
        snprintf(un.sun_path + 1, sizeof un.sun_path - 1, "cf%u", (unsigned)below(r, 3));
        memcpy(room, &un, sizeof un);
        return 6;
    case 2:
        in.sin_addr.s_addr = htonl(one_in(r, 4)   ? 0
                                   : one_in(r, 8) ? (uint32_t)rnd(r)
                                                  : INADDR_LOOPBACK);
        memcpy(room, &in, sizeof in);
        return sizeof in;
    case 3:
        in6.sin6_addr.s6_addr[15] = (uint8_t)below(r, 2);
        memcpy(room, &in6, sizeof in6);
        return sizeof in6;
    case 4:
        memcpy(room, netlink, sizeof netlink);
        return sizeof netlink;
    default:
        memset(room, 0, 16);
        *(uint16_t *)room = (uint16_t)below(r, 46);
        return 16;
    }
}

long place_sockaddr(struct rng *r)
{
    _Alignas(16) char room[128];
    size_t n = make_sockaddr(r, room);

    return one_in(r, 10) ? 0 : put(r, room, n);
}

/* Control messages: descriptors, credentials, nonsense. Answers how long they are. */
static size_t make_control(struct rng *r, char *room)
{
    struct cmsghdr *c = (struct cmsghdr *)room;
    int fd[4];
    uint32_t cred[3] = {(uint32_t)getpid(), (uint32_t)some(r, 2), 0};
    size_t n = 1 + below(r, 4);

    c->cmsg_level = one_in(r, 8) ? (int)below(r, 50) : SOL_SOCKET;
    c->cmsg_type = one_in(r, 8) ? (int)below(r, 50) : 1 + (int)below(r, 2);
    if (c->cmsg_type == 2) {
        memcpy(room + 16, cred, sizeof cred);
        n = sizeof cred;
    } else {
        for (size_t i = 0; i < 4; i++) {
            fd[i] = any_fd(r);
        }
        memcpy(room + 16, fd, sizeof fd);
        n *= sizeof fd[0];
    }
    c->cmsg_len = one_in(r, 8) ? (size_t)some(r, 100) : 16 + n;
    return 16 + ((n + 7) & ~7ul);
}

long place_msghdr(struct rng *r, unsigned n)
{
    struct {
        struct msghdr h;
        uint64_t len;
    } m[4] = {0};
    struct iovec v[4];
    _Alignas(16) char room[128] = {0};

    for (unsigned i = 0; i < n; i++) {
        struct msghdr *h = &m[i].h;

        fill_iovec(r, v, 4);
        h->msg_iov = (void *)put(r, v, sizeof v); /* NOLINT(performance-no-int-to-ptr) */
        h->msg_iovlen = (int)some(r, 5);
        if (one_in(r, 2)) {
            h->msg_namelen = (socklen_t)make_sockaddr(r, room);
            h->msg_name = (void *)put(r, room, 112); /* NOLINT(performance-no-int-to-ptr) */
        }
        memset(room, 0, sizeof room);
        if (one_in(r, 2)) {
            h->msg_controllen = (socklen_t)make_control(r, room);
            h->msg_control =
                (void *)put(r, room, sizeof room); /* NOLINT(performance-no-int-to-ptr) */
        }
    }
    return put(r, m, n * sizeof m[0]);
}

long place_flock(struct rng *r)
{
    struct {
        short type, whence;
        long start, len;
        int pid;
    } l = {(short)below(r, 4), (short)below(r, 4), some(r, 100), some(r, 50) - 10,
           (int)(one_in(r, 2) ? 0 : getpid())};

    return put(r, &l, sizeof l);
}

long place_termios(struct rng *r)
{
    uint32_t t[18];

    for (size_t i = 0; i < 18; i++) {
        t[i] = one_in(r, 2) ? (uint32_t)below(r, 256) : (uint32_t)rnd(r);
    }
    return put(r, t, sizeof t);
}

long place_open_how(struct rng *r)
{
    struct open_how how = {(uint64_t)draw(r, 'O'), one_in(r, 2) ? 0 : 0644,
                           one_in(r, 2) ? 0 : below(r, 64)};

    return put(r, &how, sizeof how);
}

long place_clone_args(struct rng *r, long flags)
{
    struct clone_args c = {
        .flags = (uint64_t)flags & ~0xfful,
        .pidfd = (uint64_t)any_pointer(r),
        .child_tid = (uint64_t)futex_word(r),
        .parent_tid = (uint64_t)futex_word(r),
        .exit_signal = one_in(r, 8) ? rnd(r) : SIGCHLD_NR,
    };

    if (one_in(r, 3)) {
        c.stack = (uint64_t)area(r);
        c.stack_size = 4096;
    }
    if (one_in(r, 6)) {
        c.set_tid = (uint64_t)any_pointer(r);
        c.set_tid_size = below(r, 40);
    }
    return put(r, &c, sizeof c);
}

long place_sigevent(struct rng *r)
{
    struct {
        uint64_t value;
        int signo, notify, tid;
        int pad[11];
    } e = {rnd(r),
           (int)draw(r, 'G'),
           (int)below(r, 6),
           (int)(one_in(r, 2) ? getpid() : some(r, 100)),
           {0}};

    return one_in(r, 10) ? 0 : put(r, &e, sizeof e);
}

long place_sembufs(struct rng *r)
{
    struct sembuf s[8];

    for (size_t i = 0; i < 8; i++) {
        s[i] = (struct sembuf){(unsigned short)some(r, 4), (short)(some(r, 5) - 2),
                               (short)((patient ? 0 : IPC_NOWAIT) | (one_in(r, 2) ? SEM_UNDO : 0))};
    }
    return put(r, s, sizeof s);
}

long place_msgbuf(struct rng *r)
{
    long m[32] = {1 + some(r, 3)};

    return put(r, m, sizeof m);
}

long place_handle(struct rng *r)
{
    struct {
        unsigned bytes;
        int type;
        uint32_t data[32];
    } h = {(unsigned)(one_in(r, 4) ? below(r, 200) : 8), (int)some(r, 4), {0}};

    h.data[0] = 0x7fffff00u | (uint32_t)below(r, 256); /* no file of others has such a number */
    h.data[1] = (uint32_t)some(r, 4);
    return put(r, &h, sizeof h);
}

long place_stack(struct rng *r)
{
    struct {
        long sp;
        int flags;
        long size;
    } s = {area(r), (int)some(r, 3), one_in(r, 2) ? 16384 : some(r, 5000)};

    return one_in(r, 6) ? 0 : put(r, &s, sizeof s);
}

static void nothing(int signo)
{
    (void)signo;
}

/* Also good enough as a siginfo. */
long place_action(struct rng *r)
{
    struct {
        uint64_t handler, flags, mask, rest[13];
    } a = {one_in(r, 3) ? below(r, 3) : (uint64_t)nothing, (uint64_t)draw(r, 'F'), sparse(r), {0}};

    if (one_in(r, 3)) {
        a.flags = (uint64_t)-1 << 32; /* si_code: SI_QUEUE */
    }
    return one_in(r, 10) ? 0 : put(r, &a, sizeof a);
}

long place_argv(struct rng *r)
{
    long v[6] = {0};

    for (size_t i = 0; i < below(r, 6); i++) {
        v[i] = draw(r, 'H');
    }
    return one_in(r, 8) ? 0 : put(r, v, sizeof v);
}

long place_cap_header(struct rng *r)
{
    static const uint32_t versions[] = {0x19980330, 0x20071026, 0x20080522, 0x20080522, 0};
    uint32_t h[2] = {PICK(r, versions), (uint32_t)(one_in(r, 2) ? 0 : some(r, 100))};

    return put(r, h, sizeof h);
}

/* A list that leads anywhere, or to itself. */
long place_robust(struct rng *r)
{
    long head[3] = {any_pointer(r), some(r, 64) - 32, one_in(r, 2) ? 0 : any_pointer(r)};
    long at = place(r, head, sizeof head);

    head[0] = one_in(r, 3) ? at : futex_word(r);
    return one_in(r, 2) ? at : place(r, head, sizeof head);
}

long futex_word(struct rng *r)
{
    uint32_t word = one_in(r, 2) ? 0 : one_in(r, 2) ? (uint32_t)getpid() : (uint32_t)rnd(r);

    return one_in(r, 2) ? shared_word(r) : place(r, &word, sizeof word);
}

static int ids[3];

void ipc_make(void)
{
    ids[0] = shmget(IPC_PRIVATE, 8192, 0666);
    ids[1] = semget(IPC_PRIVATE, 4, 0666);
    ids[2] = msgget(IPC_PRIVATE, 0666);
}

long ipc_id(struct rng *r)
{
    if (!one_in(r, 4)) {
        return PICK(r, ids);
    }
    return one_in(r, 8) ? (long)rnd(r)
                        : (long)below(r, 4) + (one_in(r, 3) ? 0 : 32768 * (long)below(r, 4));
}
