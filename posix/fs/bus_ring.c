/* /Bus/ring.N: the rings of a native cell in a program's own hands (nexus/bus.h).  Here is what is not done in
 * shared memory: mapping it, and passing on bells, which are counted until somebody reads them. */
#include "fs/inode.h"
#include "include/mm.h"

#include <nexus/bus.h>
#include <stdio.h>

/* The membrane may know such cells; there are none in tests. */
__attribute__((weak)) bool mb_ring_get(unsigned n, struct mb_ring *out)
{
    return false;
}

__attribute__((weak)) void mb_ring_bell(unsigned n, bool out)
{
}

__attribute__((weak)) void (*mb_ring_hook)(unsigned n);

static struct bus_ring {
    struct mb_ring r;
    struct waitq rung;
    uint64_t bells; /* since they were last read */
    bool open;
} rings[NEXUS_BUS_RINGS];
_Static_assert(NEXUS_BUS_RINGS == MB_RINGS, "nexus/bus.h and the manifest");

static void on_bell(unsigned n)
{
    rings[n].bells += rings[n].open;
    wait_wake(&rings[n].rung);
}

static long ring_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct bus_ring *r = f->priv;
    if (b->len < sizeof(r->bells)) {
        return -EINVAL;
    }
    while (r->bells == 0) {
        if ((f->flags & O_NONBLOCK) != 0) {
            return -EAGAIN;
        }
        int err = wait_on(&r->rung, MB_NEVER);
        if (err < 0) {
            return err == -EINTR ? -ERESTARTSYS : err;
        }
    }
    const uint64_t n = r->bells;
    r->bells = 0; /* more may ring while the program's page comes */
    if (iobuf_put(b, &n, sizeof(n)) < 0) {
        r->bells += n;
        return -EFAULT;
    }
    return sizeof(n);
}

static long ring_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    const struct bus_ring *r = f->priv;
    uint64_t which;
    if (b->len != sizeof(which)) {
        return -EINVAL;
    }
    if (iobuf_get(b, &which, sizeof(which)) < 0) {
        return -EFAULT;
    }
    if (which == 0 || (which & ~(NEXUS_BUS_PUSHED | NEXUS_BUS_POPPED)) != 0) {
        return -EINVAL;
    }
    if ((which & NEXUS_BUS_PUSHED) != 0) {
        mb_ring_bell((unsigned)(r - rings), true);
    }
    if ((which & NEXUS_BUS_POPPED) != 0) {
        mb_ring_bell((unsigned)(r - rings), false);
    }
    return sizeof(which);
}

static unsigned ring_poll(struct file *f, struct poll_table *pt)
{
    struct bus_ring *r = f->priv;
    if (pt != NULL) {
        poll_wait(pt, &r->rung);
    }
    return ABI_POLLOUT | ABI_POLLWRNORM | (r->bells != 0 ? ABI_POLLIN | ABI_POLLRDNORM : 0);
}

static long ring_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    const struct bus_ring *r = f->priv;
    const struct nexus_bus_sizes sizes = {
        .out = r->r.out_size, .in = r->r.in_size, .pool = r->r.pool != NULL ? r->r.pool_size : 0};
    return cmd == NEXUS_BUS_SIZES ? mb_copy_out(arg, &sizes, sizeof(sizes)) : -ENOTTY;
}

static void *ring_page(struct file *f, uint64_t off, enum page_use use, int *err)
{
    const struct mb_ring *r = &((struct bus_ring *)f->priv)->r;
    const struct {
        uint64_t from;
        uint8_t *at;
        size_t size;
    } part[] = {{NEXUS_BUS_POOL, r->pool, r->pool_size},
                {NEXUS_BUS_IN, r->in, r->in_size},
                {NEXUS_BUS_OUT, r->out, r->out_size}};
    for (unsigned i = 0; i < 3; i++) {
        if (off >= part[i].from) {
            if (part[i].at != NULL && off - part[i].from < part[i].size) {
                return part[i].at + (off - part[i].from);
            }
            break;
        }
    }
    *err = -EFAULT;
    return NULL;
}

/* A private copy of a ring is no ring. */
static int ring_mmap_ok(struct file *f, unsigned prot, bool shared)
{
    return shared ? 0 : -EINVAL;
}

static void ring_release(struct file *f)
{
    struct bus_ring *r = f->priv;
    r->open = false;
    r->bells = 0;
}

static const struct file_ops ops = {.name = "ring",
                                    .read = ring_read,
                                    .write = ring_write,
                                    .poll = ring_poll,
                                    .ioctl = ring_ioctl,
                                    .page = ring_page,
                                    .mmap_ok = ring_mmap_ok,
                                    .release = ring_release};

static int ring_open(struct file *f, unsigned n)
{
    struct bus_ring *r = &rings[n];
    if (!mb_ring_get(n, &r->r)) {
        return -ENXIO;
    }
    if (r->open) {
        return -EBUSY;
    }
    r->open = true;
    f->priv = r;
    f->ops = &ops;
    return 0;
}

static int open_0(struct file *f)
{
    return ring_open(f, 0);
}

static int open_1(struct file *f)
{
    return ring_open(f, 1);
}

static int open_2(struct file *f)
{
    return ring_open(f, 2);
}

static int open_3(struct file *f)
{
    return ring_open(f, 3);
}

/* A file for each that somebody serves. */
int bus_ring_init(void)
{
    static int (*const open[NEXUS_BUS_RINGS])(struct file * f) = {open_0, open_1, open_2, open_3};
    int err = 0;
    mb_ring_hook = on_bell;
    for (unsigned n = 0; n < NEXUS_BUS_RINGS && err >= 0; n++) {
        char name[8];
        struct mb_ring r;
        waitq_init(&rings[n].rung);
        snprintf(name, sizeof(name), "ring.%u", n);
        err = mb_ring_get(n, &r) ? bus_register(name, 0600, open[n]) : 0;
    }
    return err;
}
