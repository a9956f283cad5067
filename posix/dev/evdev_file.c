/* /dev/input/event* as files: each reader's queue, and the ioctls.  See evdev.h. */
#include <asm/errno.h>
#include <asm/fcntl.h>
#include <asm/ioctl.h>
#include <string.h>

#include "dev/evdev.h"
#include "fs/inode.h"
#include "include/ptime.h"

#define CLOCK_REALTIME_ 0u
#define CLOCK_MONOTONIC_ 1u
#define CLOCK_BOOTTIME_ 7u

#define EV_VERSION_ 0x010001 /* of the protocol, linux/input.h */
#define NR_VERSION 0x01u     /* ioctl numbers of type 'E' */
#define NR_ID 0x02u
#define NR_NAME 0x06u
#define NR_PHYS 0x07u
#define NR_UNIQ 0x08u
#define NR_PROP 0x09u
#define NR_KEY 0x18u
#define NR_LED 0x19u
#define NR_SND 0x1au
#define NR_SW 0x1bu
#define NR_BIT 0x20u /* + type */
#define NR_ABS 0x40u /* + axis */
#define NR_EFFECTS 0x84u
#define NR_GRAB 0x90u
#define NR_CLOCK 0xa0u
#define MINOR_EVENT 64u

/* ---- the queue ---- */

static struct ev_record record_make(const struct ev_file *r, unsigned type, unsigned code,
                                    int32_t value)
{
    int64_t ns = r->clock == CLOCK_REALTIME_ ? time_realtime_ns() : time_monotonic_ns();
    return (struct ev_record){.sec = ns / NSEC_PER_SEC,
                              .usec = ns % NSEC_PER_SEC / 1000,
                              .type = (uint16_t)type,
                              .code = (uint16_t)code,
                              .value = value};
}

void ev_file_push(struct ev_file *r, unsigned type, unsigned code, int32_t value)
{
    bool report = type == EV_SYN && code == SYN_REPORT;
    if (report && r->packet == r->head) {
        return; /* an empty one */
    }
    if (r->head - r->tail == EVDEV_QUEUE) {
        r->tail = r->packet = r->head - 1;
        r->queue[r->tail % EVDEV_QUEUE] = record_make(r, EV_SYN, SYN_DROPPED, 0);
    }
    r->queue[r->head++ % EVDEV_QUEUE] = record_make(r, type, code, value);
    if (report) {
        r->packet = r->head;
        wait_wake(&r->readers);
    }
}

static struct ev_file *of(const struct file *f)
{
    return f->priv;
}

static long ev_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct ev_file *r = of(f);
    long done = 0;
    if (b->len != 0 && b->len < sizeof(struct ev_record)) {
        return -EINVAL;
    }
    while (r->packet == r->tail) {
        if ((f->flags & O_NONBLOCK) != 0) {
            return -EAGAIN;
        }
        if (b->len == 0) {
            return 0;
        }
        if (wait_on(&r->readers, MB_NEVER) != 0) {
            return -ERESTARTSYS;
        }
    }
    while (r->packet != r->tail && b->len >= sizeof(struct ev_record)) {
        struct ev_record record = r->queue[r->tail++ % EVDEV_QUEUE];
        if (iobuf_put(b, &record, sizeof(record)) < 0) {
            return -EFAULT;
        }
        done += (long)sizeof(record);
    }
    return done;
}

/* Events a program makes up go the way of the device's; lamps also to the device. */
static long ev_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct evdev *e = of(f)->dev;
    long done = 0;
    if (b->len != 0 && b->len < sizeof(struct ev_record)) {
        return -EINVAL;
    }
    while (b->len >= sizeof(struct ev_record)) {
        struct ev_record r;
        if (iobuf_get(b, &r, sizeof(r)) < 0) {
            return done > 0 ? done : -EFAULT;
        }
        if (r.type == EV_LED || r.type == EV_SND) {
            const struct mb_input_event ev = {r.type, r.code, (uint32_t)r.value};
            mb_input_status(e->index, &ev);
        }
        evdev_event(e, r.type, r.code, r.value);
        done += (long)sizeof(r);
    }
    return done;
}

static unsigned ev_poll(struct file *f, struct poll_table *pt)
{
    struct ev_file *r = of(f);
    if (pt != NULL) {
        poll_wait(pt, &r->readers);
    }
    return ABI_POLLOUT | ABI_POLLWRNORM | (r->packet != r->tail ? ABI_POLLIN | ABI_POLLRDNORM : 0);
}

/* ---- ioctls: the length is in the number, the answer says how much was filled ---- */

static long put(uint64_t arg, const void *from, size_t have, size_t room)
{
    size_t n = have < room ? have : room;
    int err = mb_copy_out(arg, from, n);
    return err < 0 ? err : (long)n;
}

static long put_text(uint64_t arg, const char *text, size_t room)
{
    return put(arg, text, strlen(text) + 1, room);
}

/* Linux gives bits in whole words. */
static size_t words(unsigned bits)
{
    return (bits + 63) / 64 * 8;
}

static long grab(struct ev_file *r, uint64_t on)
{
    struct evdev *e = r->dev;
    if (on != 0) {
        if (e->grab != NULL) {
            return -EBUSY;
        }
        e->grab = r;
        return 0;
    }
    if (e->grab != r) {
        return -EINVAL;
    }
    e->grab = NULL;
    return 0;
}

static long clock_set(struct ev_file *r, uint64_t arg)
{
    uint32_t clock;
    if (mb_copy_in(&clock, arg, sizeof(clock)) < 0) {
        return -EFAULT;
    }
    if (clock != CLOCK_REALTIME_ && clock != CLOCK_MONOTONIC_ && clock != CLOCK_BOOTTIME_) {
        return -EINVAL;
    }
    if (clock != r->clock) { /* what is queued has the wrong time: as if it had been lost */
        r->clock = clock;
        if (r->head != r->tail) {
            r->tail = r->packet = r->head;
            r->queue[r->head++ % EVDEV_QUEUE] = record_make(r, EV_SYN, SYN_DROPPED, 0);
        }
    }
    return 0;
}

static long bits_get(const struct evdev *e, unsigned type, uint64_t arg, size_t room)
{
    if (type == 0) {
        return put(arg, e->types, sizeof(e->types), room);
    }
    unsigned max = evdev_bits_max(type);
    return max != 0 ? put(arg, e->bits[type], words(max), room) : -EINVAL;
}

static long sized_ioctl(struct ev_file *r, unsigned nr, uint64_t arg, size_t room)
{
    const struct evdev *e = r->dev;
    static const int32_t version = EV_VERSION_;
    switch (nr) {
    case NR_VERSION:
        return put(arg, &version, sizeof(version), room) < 0 ? -EFAULT : 0;
    case NR_ID:
        return put(arg, &e->c, 8, room) < 0 ? -EFAULT : 0; /* bus, vendor, product, version */
    case NR_NAME:
        return put_text(arg, e->c.name, room);
    case NR_PHYS:
        return put_text(arg, "virtio/input", room);
    case NR_UNIQ:
        return -ENOENT;
    case NR_PROP:
        return put(arg, e->props, sizeof(e->props), room);
    case NR_KEY:
        return put(arg, e->key, sizeof(e->key), room);
    case NR_LED:
        return put(arg, e->led, sizeof(e->led), room);
    case NR_SND:
        return put(arg, e->snd, sizeof(e->snd), room);
    case NR_SW:
        return put(arg, e->sw, sizeof(e->sw), room);
    default:
        break;
    }
    if (nr >= NR_BIT && nr < NR_BIT + EV_CNT) {
        return bits_get(e, nr - NR_BIT, arg, room);
    }
    if (nr >= NR_ABS && nr < NR_ABS + ABS_CNT && ev_bit(e->bits[EV_ABS], nr - NR_ABS)) {
        return put(arg, &e->abs[nr - NR_ABS], sizeof(struct ev_abs), room) < 0 ? -EFAULT : 0;
    }
    return -EINVAL;
}

static long ev_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    struct ev_file *r = of(f);
    static const int32_t no_effects;
    if (_IOC_TYPE(cmd) != 'E') {
        return -EINVAL;
    }
    unsigned nr = _IOC_NR(cmd);
    if (_IOC_DIR(cmd) == _IOC_READ) {
        return nr == NR_EFFECTS ? put(arg, &no_effects, 4, 4)
                                : sized_ioctl(r, nr, arg, _IOC_SIZE(cmd));
    }
    if (_IOC_DIR(cmd) == _IOC_WRITE && nr == NR_GRAB) {
        return grab(r, arg);
    }
    if (_IOC_DIR(cmd) == _IOC_WRITE && nr == NR_CLOCK) {
        return clock_set(r, arg);
    }
    return -EINVAL;
}

/* ---- open and close ---- */

static void ev_release(struct file *f)
{
    struct ev_file *r = of(f), **link = &r->dev->files;
    while (*link != r) {
        link = &(*link)->next;
    }
    *link = r->next;
    if (r->dev->grab == r) {
        r->dev->grab = NULL;
    }
    mb_free(r);
}

static const struct file_ops ops = {
    .name = "evdev",
    .read = ev_read,
    .write = ev_write,
    .poll = ev_poll,
    .ioctl = ev_ioctl,
    .release = ev_release,
    .tells = true,
};

int evdev_open(struct file *f)
{
    struct evdev *e = evdev_get(dev_minor(f->inode->rdev) - MINOR_EVENT);
    struct ev_file *r = e != NULL ? mb_alloc(sizeof(*r)) : NULL;
    if (r == NULL) {
        return e != NULL ? -ENOMEM : -ENXIO;
    }
    memset(r, 0, sizeof(*r));
    waitq_init(&r->readers);
    r->dev = e;
    r->next = e->files;
    e->files = r;
    f->priv = r;
    f->ops = &ops;
    return 0;
}
