/* eventfd: a counter that is read and written, and waited for. */
#include "fd/fd_int.h"
#include "fs/text.h"
#include "include/sys.h"

#define EFD_SEMAPHORE 1u

struct eventfd {
    uint64_t count; /* the last value only asynchronous I/O makes */
    bool semaphore; /* a read takes one, not all */
    struct waitq readers, writers;
};

static long event_wait(const struct file *f, struct waitq *q)
{
    if ((f->flags & O_NONBLOCK) != 0) {
        return -EAGAIN;
    }
    int err = wait_on(q, MB_NEVER);
    return err == -EINTR ? -ERESTARTSYS : err;
}

static long event_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct eventfd *e = f->priv;
    if (b->len < sizeof(uint64_t)) {
        return -EINVAL;
    }
    while (e->count == 0) {
        long err = event_wait(f, &e->readers);
        if (err < 0) {
            return err;
        }
    }
    uint64_t n = e->semaphore ? 1 : e->count;
    e->count -= n;
    wait_wake(&e->writers);
    return iobuf_put(b, &n, sizeof(n)) < 0 ? -EFAULT : (long)sizeof(n);
}

static long event_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct eventfd *e = f->priv;
    uint64_t n;
    if (b->len < sizeof(n)) {
        return -EINVAL;
    }
    if (iobuf_get(b, &n, sizeof(n)) < 0) {
        return -EFAULT;
    }
    if (n == UINT64_MAX) {
        return -EINVAL;
    }
    while (e->count > UINT64_MAX - 1 - n) {
        long err = event_wait(f, &e->writers);
        if (err < 0) {
            return err;
        }
    }
    e->count += n;
    wait_wake(&e->readers);
    return sizeof(n);
}

static unsigned event_poll(struct file *f, struct poll_table *pt)
{
    struct eventfd *e = f->priv;
    if (pt != NULL) {
        poll_wait(pt, &e->readers);
        poll_wait(pt, &e->writers);
    }
    return (e->count > 0 ? ABI_POLLIN : 0) | (e->count < UINT64_MAX - 1 ? ABI_POLLOUT : 0) |
           (e->count == UINT64_MAX ? ABI_POLLERR : 0);
}

static void event_info(const struct file *f, struct text *t)
{
    const struct eventfd *e = f->priv;
    text_printf(t, "eventfd-count: %16lx\n", (unsigned long)e->count);
}

static void event_release(struct file *f)
{
    mb_free(f->priv);
}

static const struct file_ops event_ops = {
    .name = "[eventfd]",
    .read = event_read,
    .write = event_write,
    .poll = event_poll,
    .info = event_info,
    .release = event_release,
};

bool file_is_eventfd(const struct file *f)
{
    return f->ops == &event_ops;
}

void eventfd_signal(struct file *f)
{
    struct eventfd *e = f->priv;
    if (e->count < UINT64_MAX) {
        e->count++;
    }
    wait_wake(&e->readers);
}

long sys_eventfd2(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[1];
    if ((flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK)) != 0) {
        return -EINVAL;
    }
    struct eventfd *e = mb_zalloc(sizeof(*e));
    if (e == NULL) {
        return -ENOMEM;
    }
    e->count = (uint32_t)a[0];
    e->semaphore = (flags & EFD_SEMAPHORE) != 0;
    struct file *f = file_make_anon(&event_ops, 0600, O_RDWR | (flags & O_NONBLOCK), e);
    if (f == NULL) {
        mb_free(e);
        return -ENOMEM;
    }
    return fd_install(f, 0, (flags & O_CLOEXEC) != 0);
}
