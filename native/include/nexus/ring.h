/* Rings under /Bus for Linux programs, header only: #include <nexus/ring.h>, and be the client of a native cell.
 *
 *     struct nexus_bus b;
 *     struct nx_slot m = {.type = KV_GET, ...};          // the interface's own, or by its stubs: kv_get_ask_(&m, ...)
 *     if (bus_open(&b, "/Bus/ring.0") == 0) {
 *         int e = bus_call(&b, &m, 1000);                // the answer is in m
 *         bus_close(&b);
 *     }
 *
 * Messages travel through memory the program shares with the cell; the kernel is asked only to wake a side that sleeps.
 * What happens when the server dies, answers late, twice or to nobody is what nexus/session.h says, and bus_call tells.
 * Example: native/examples/weblog_posix/rings.c
 *
 * One thread at a time.  Works with any C library; nothing of a native cell's library is needed.
 */
#ifndef NEXUS_RING_H
#define NEXUS_RING_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <nexus/bus.h>
#include <nx/ring.h>

#define BUS_HELLO 0x7ffeu /* NEXUS_HELLO of nexus/session.h */

struct nexus_bus {
    int fd;
    struct nx_ring in, out;
    uint8_t *pool; /* NULL: the channel has none */
    size_t pool_size;
    uint8_t config[NX_RING_PAYLOAD]; /* of the server's last HELLO */
    uint32_t generation; /* HELLOs that counted: lives of the server we know of; 0: none yet */
    uint32_t strays;     /* messages that matched nothing */
    /* private: */
    struct nexus_bus_sizes sizes;
    void *out_at, *in_at;
    uint32_t hello_end; /* index behind our HELLO */
    uint32_t number;    /* of the last request */
    bool hello_sent, pushed, popped;
};

static inline void bus_unmap_(void *at, size_t size)
{
    if (at != NULL) {
        munmap(at, size);
    }
}

/* Give it back; what was asked and not answered is forgotten.  The server hears of it from the next client. */
static inline void bus_close(struct nexus_bus *b)
{
    bus_unmap_(b->out_at, b->sizes.out);
    bus_unmap_(b->in_at, b->sizes.in);
    bus_unmap_(b->pool, b->sizes.pool);
    if (b->fd >= 0) {
        close(b->fd);
    }
    b->fd = -1;
    b->out_at = b->in_at = NULL;
    b->pool = NULL;
}

static inline void *bus_map_(const struct nexus_bus *b, size_t size, off_t at)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, at);
    return p == MAP_FAILED ? NULL : p;
}

static inline void bus_bell_(const struct nexus_bus *b, uint64_t bell)
{
    while (bell != 0 && write(b->fd, &bell, sizeof(bell)) < 0 && errno == EINTR) {
    }
}

/* Take a side of a ring; where a predecessor left an index that makes no sense, as an empty one. */
static inline int bus_attach_(struct nx_ring *r, enum nx_ring_side side, void *at, size_t size)
{
    volatile struct nx_ring_region *region = (volatile struct nx_ring_region *)at;
    int e = nx_ring_attach(r, side, at, size);
    if (e == -NX_EPEER) {
        region->end[side].index = region->end[!side].index;
        e = nx_ring_attach(r, side, at, size);
    }
    return e;
}

/* Open the file of a service.  0, or -1 with errno: of open(2), EBUSY: it has a client, ENXIO: nobody serves it, EPROTO: its rings
 * make no sense, ENOMEM. */
static inline int bus_open(struct nexus_bus *b, const char *path)
{
    memset(b, 0, sizeof(*b));
    b->fd = open(path, O_RDWR | O_CLOEXEC);
    if (b->fd < 0) {
        return -1;
    }
    int e = ioctl(b->fd, NEXUS_BUS_SIZES, &b->sizes) != 0 ? errno : 0;
    if (e == 0) {
        b->out_at = bus_map_(b, b->sizes.out, NEXUS_BUS_OUT);
        b->in_at = bus_map_(b, b->sizes.in, NEXUS_BUS_IN);
        b->pool = b->sizes.pool > 0 ? bus_map_(b, b->sizes.pool, NEXUS_BUS_POOL) : NULL;
        b->pool_size = b->pool != NULL ? b->sizes.pool : 0;
        e = b->out_at == NULL || b->in_at == NULL || (b->pool == NULL && b->sizes.pool > 0) ? ENOMEM
                                                                                            : 0;
    }
    if (e == 0 && (bus_attach_(&b->out, NX_RING_PRODUCER, b->out_at, b->sizes.out) != 0 ||
                   bus_attach_(&b->in, NX_RING_CONSUMER, b->in_at, b->sizes.in) != 0)) {
        e = EPROTO;
    }
    if (e != 0) {
        bus_close(b);
        errno = e;
        return -1;
    }
    bus_bell_(b,
              NEXUS_BUS_PUSHED | NEXUS_BUS_POPPED); /* a predecessor may have died before it rang */
    return 0;
}

/* Wake the server for what we did, if it sleeps. */
static inline void bus_ring_(struct nexus_bus *b)
{
    const uint64_t bell = (b->pushed && nx_ring_needs_bell(&b->out) ? NEXUS_BUS_PUSHED : 0) |
                          (b->popped && nx_ring_needs_bell(&b->in) ? NEXUS_BUS_POPPED : 0);
    b->pushed = b->popped = false;
    bus_bell_(b, bell);
}

static inline int64_t bus_now_(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Sleep until the server rings or the time is up: 0 or -NX_ETIME. */
static inline int bus_sleep_(struct nexus_bus *b, int64_t until)
{
    struct pollfd p = {.fd = b->fd, .events = POLLIN};
    uint64_t bells;
    const int64_t left = until - bus_now_();
    if (left <= 0) {
        return -NX_ETIME;
    }
    if (poll(&p, 1, left > 1 << 30 ? 1 << 30 : (int)left) > 0) {
        (void)!read(b->fd, &bells, sizeof(bells));
    }
    return 0;
}

/* Indices of the server's make no sense: write our own words anew; its next life goes on with them. */
static inline void bus_mend_(struct nexus_bus *b, bool both)
{
    nx_ring_mend(&b->in, both && nx_ring_pending(&b->in, 1) < 0);
    nx_ring_mend(&b->out, both && nx_ring_space(&b->out, 1) < 0);
    bus_bell_(b, NEXUS_BUS_PUSHED | NEXUS_BUS_POPPED);
}

/* Wait for a message, or for room when `full`. */
static inline int bus_wait_(struct nexus_bus *b, bool full, int64_t until)
{
    int n = full ? nx_ring_sleep_prepare(&b->out) : 0;
    n = n == 0 ? nx_ring_sleep_prepare(&b->in) : n;
    bus_ring_(b);
    if (n < 0) {
        bus_mend_(b, false);
    }
    int e = n > 0 ? 0 : bus_sleep_(b, until);
    nx_ring_sleep_cancel(&b->in);
    nx_ring_sleep_cancel(&b->out);
    if (nx_ring_peer_changed(&b->in)) {
        bus_mend_(b, true);
    }
    return e;
}

/* A HELLO: does the request of index `sent` have to be asked again?  See nexus/session.h. */
static inline bool bus_hello_(struct nexus_bus *b, const struct nx_slot *m, uint32_t sent)
{
    const uint32_t x = m->cookie;
    if ((int32_t)(b->out.own - x) < 0) {
        b->strays++;
        return false;
    }
    if (b->generation == 0 && (!b->hello_sent || (int32_t)(x - b->hello_end) < 0)) {
        return false; /* said to our predecessor */
    }
    b->generation++;
    memcpy(b->config, m->payload, sizeof(b->config));
    return (int32_t)(sent - x) < 0;
}

/* Put `m` into the ring, after our own HELLO; 0, or -NX_EFULL: not now. */
static inline int bus_push_(struct nexus_bus *b, const struct nx_slot *m)
{
    int e = nx_ring_push(&b->out, m);
    b->pushed |= e == 0;
    return e == -NX_EPEER ? -NX_EFULL : e;
}

/* Send the request *m (type, buf_off, buf_len, payload) and wait for the answer, at most `timeout_ms` (-1: as long as it takes).  The
 * answer's result, 0 or -NX_E* (nx/types.h), with the answer in *m; or
 *   -NX_ETIME  there was none in time; what comes later is dropped.  The server may still use the request's piece of the pool
 *   -NX_EPEER  the server died with it, and its type must not be repeated (others are asked again by themselves) */
static inline int bus_call(struct nexus_bus *b, struct nx_slot *m, int timeout_ms)
{
    static const struct nx_slot hello = {.type = BUS_HELLO};
    const int64_t until = timeout_ms < 0 ? INT64_MAX : bus_now_() + timeout_ms;
    const uint16_t type = m->type;
    bool sent = false;
    struct nx_slot r;
    for (;;) {
        int e = 0;
        if (!b->hello_sent && (e = bus_push_(b, &hello)) == 0) {
            b->hello_sent = true;
            b->hello_end = b->out.own;
        }
        if (b->generation != 0 && !sent) {
            b->number = b->out.own;
            m->cookie = b->number << 8;
            m->flags &= (uint16_t)~NX_SLOT_REPLY;
            e = bus_push_(b, m);
            sent = e == 0;
        }
        const int got = nx_ring_pop(&b->in, &r);
        b->popped |= got == 0;
        if (got == 0 && r.type == BUS_HELLO) {
            if (bus_hello_(b, &r, b->number) && sent) {
                sent = false;
                if ((type & NX_TYPE_REPEATABLE) == 0) {
                    bus_ring_(b);
                    return -NX_EPEER;
                }
            }
        } else if (got == 0 && b->generation != 0) {
            if (sent && r.type == type && r.cookie == m->cookie && (r.flags & NX_SLOT_REPLY) != 0) {
                *m = r;
                bus_ring_(b);
                return (int)r.word32[0];
            }
            b->strays++;
        } else if (got != 0 && bus_wait_(b, e == -NX_EFULL, until) != 0) {
            bus_ring_(b);
            return -NX_ETIME;
        }
    }
}

#endif
