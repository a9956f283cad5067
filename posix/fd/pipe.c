/* Pipes and FIFOs: a ring of pages between writers and readers.
 *
 *      head, tail: bytes written and read since ever; what is there is head - tail <= cap
 *      byte i lies in page[(i & (cap - 1)) / 4096]; pages come when first needed and stay
 *
 * Rules: data goes straight between program memory and the ring.  Readers are woken when it stops
 * being empty, writers when there is room for PIPE_BUF again, and only one of each, who passes it on if
 * something is left.  An empty ring starts over at its first page, so that small messages touch one.
 * Writes up to PIPE_BUF are never split.
 */
#include "fd/pipe_int.h"

#include <string.h>

#define PIPE_SIZE_HARD (1ul << 31)

long pipe_size_max = 1 << 20;

static struct pipe *pipe_alloc(void)
{
    struct pipe *p = mb_zalloc(sizeof(*p));
    if (p != NULL) {
        p->cap = PIPE_PAGES * MB_PAGE;
        if (p->cap > pipe_size_max && !capable(CAP_SYS_RESOURCE)) {
            p->cap = (uint32_t)pipe_size_max;
        }
        p->page = p->page0;
    }
    return p;
}

static void pages_free(struct pipe *p)
{
    for (unsigned i = 0; i < p->cap / MB_PAGE; i++) {
        if (p->page[i] != NULL) {
            mb_page_free(p->page[i]);
        }
    }
}

void pipe_free(struct pipe *p)
{
    pages_free(p);
    if (p->page != p->page0) {
        mb_free(p->page);
    }
    mb_free(p);
}

/* ---- reading ---- */

/* What is there, as much as fits: bytes, or -EFAULT. */
long pipe_ring_get(struct pipe *p, struct iobuf *b)
{
    size_t have = p->head - p->tail, done = 0;
    size_t want = b->len < have ? b->len : have;
    int err = 0;
    while (done < want && err == 0) {
        uint32_t at = p->tail & (p->cap - 1);
        size_t in = at % MB_PAGE, left = b->len;
        size_t n = MB_PAGE - in < want - done ? MB_PAGE - in : want - done;
        err = iobuf_put(b, p->page[at / MB_PAGE] + in, n);
        n = left - b->len;
        p->tail += (uint32_t)n;
        done += n;
    }
    return done > 0 ? (long)done : err;
}

int pipe_wait_data(struct pipe *p, bool nonblock)
{
    while (p->head == p->tail || p->held) {
        if (p->head == p->tail && p->writers == 0) {
            return 0;
        }
        if (nonblock) {
            return -EAGAIN;
        }
        int err = wait_on_one(&p->readers_q, MB_NEVER);
        if (err < 0) {
            if (p->head != p->tail) { /* the wake-up was for somebody */
                wait_pass_on(&p->readers_q);
            }
            return err == -EINTR ? -ERESTARTSYS : err;
        }
    }
    return 1;
}

void pipe_taken(struct pipe *p, uint32_t used)
{
    bool was_full = p->cap - used < PIPE_BUF;
    if (p->head == p->tail) {
        p->head = p->tail = 0;
    } else if (p->readers_q.head != NULL) {
        wait_pass_on(&p->readers_q);
    }
    if (was_full && p->cap - (p->head - p->tail) >= PIPE_BUF && p->writers_q.head != NULL) {
        wait_wake_one(&p->writers_q);
    }
}

static long pipe_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct pipe *p = f->priv;
    if (b->len == 0) {
        return 0;
    }
    if (p->head == p->tail || p->held) {
        int err = pipe_wait_data(p, (f->flags & O_NONBLOCK) != 0);
        if (err <= 0) {
            return err;
        }
    }
    uint32_t used = p->head - p->tail;
    long done = pipe_ring_get(p, b);
    pipe_taken(p, used);
    if (done > 0 && f->dentry != NULL) { /* times of pipes without a name interest nobody */
        inode_accessed(f->inode, f);
    }
    return done;
}

/* ---- writing ---- */

/* As much as there is room for: bytes, -EFAULT, or -ENOMEM when there is no page and nothing went. */
long pipe_ring_put(struct pipe *p, struct iobuf *b)
{
    size_t room = p->cap - (p->head - p->tail), done = 0;
    size_t want = b->len < room ? b->len : room;
    int err = 0;
    while (done < want && err == 0) {
        uint32_t at = p->head & (p->cap - 1);
        size_t in = at % MB_PAGE, left = b->len;
        size_t n = MB_PAGE - in < want - done ? MB_PAGE - in : want - done;
        char **page = &p->page[at / MB_PAGE];
        if (*page == NULL) {
            *page = mb_page();
        }
        err = *page == NULL ? -ENOMEM : iobuf_get(b, *page + in, n);
        n = left - b->len;
        p->head += (uint32_t)n;
        done += n;
    }
    return done > 0 ? (long)done : err;
}

static long broken(long done)
{
    signal_self(ABI_SIGPIPE);
    return done > 0 ? done : -EPIPE;
}

int pipe_wait_room(struct pipe *p, bool nonblock)
{
    for (;;) {
        if (p->readers == 0) {
            return (int)broken(0);
        }
        if (p->head - p->tail < p->cap) {
            return 0;
        }
        if (nonblock) {
            return -EAGAIN;
        }
        int err = wait_on_one(&p->writers_q, MB_NEVER);
        if (err < 0) {
            return err == -EINTR ? -ERESTARTSYS : err;
        }
    }
}

void pipe_given(struct pipe *p, uint32_t used)
{
    if ((used == 0 || p->polled) && p->head != p->tail && p->readers_q.head != NULL) {
        wait_wake_one(&p->readers_q);
    }
    /* More than one may have been waiting for the room that is left. */
    if (p->writers_q.head != NULL && p->cap - (p->head - p->tail) >= PIPE_BUF) {
        wait_pass_on(&p->writers_q);
    }
}

static long pipe_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct pipe *p = f->priv;
    size_t total = b->len;
    size_t need = total <= PIPE_BUF ? total : 1; /* room to wait for */
    long done = 0, err = 0;

    if (total == 0) {
        return 0;
    }
    for (;;) {
        if (p->readers == 0) {
            return broken(done);
        }
        uint32_t used = p->head - p->tail;
        if (p->cap - used >= need) {
            err = pipe_ring_put(p, b);
            if (err > 0) {
                done += err;
                err = 0;
                if ((used == 0 || p->polled) && p->readers_q.head != NULL) {
                    wait_wake_one(&p->readers_q);
                }
            }
            if (b->len == 0 || err < 0 || p->head - p->tail < p->cap) {
                break; /* all went in, or a fault came before it was full */
            }
        }
        file_found_full(f);
        if ((f->flags & O_NONBLOCK) != 0) {
            err = -EAGAIN;
            break;
        }
        int e = wait_on_one(&p->writers_q, MB_NEVER);
        if (e < 0) {
            err = e == -EINTR ? -ERESTARTSYS : e;
            break;
        }
    }
    /* More than one may have been waiting for the room that is left. */
    if (p->writers_q.head != NULL && p->cap - (p->head - p->tail) >= PIPE_BUF) {
        wait_pass_on(&p->writers_q);
    }
    if (done > 0 && f->dentry != NULL) {
        inode_touch(f->inode);
    }
    return done > 0 ? done : err;
}

/* ---- the rest of the file ---- */

static unsigned pipe_poll(struct file *f, struct poll_table *pt)
{
    struct pipe *p = f->priv;
    uint32_t used = p->head - p->tail;
    unsigned events = 0;
    p->polled |= pt != NULL;
    if (file_can_read(f)) {
        if (pt != NULL) {
            poll_wait(pt, &p->readers_q);
        }
        if (used > 0) {
            events |= ABI_POLLIN | ABI_POLLRDNORM;
        }
        /* A FIFO nobody has written to since this end was opened has not hung up. */
        if (p->writers == 0 && (uint32_t)f->pos != p->opened_w) {
            events |= ABI_POLLHUP;
        }
    }
    if (file_can_write(f)) {
        if (pt != NULL) {
            poll_wait_room(pt, &p->writers_q);
        }
        if (p->cap - used >= PIPE_BUF) {
            events |= ABI_POLLOUT | ABI_POLLWRNORM;
        }
        if (p->readers == 0) {
            events |= ABI_POLLERR;
        }
    }
    return events;
}

static void pipe_release(struct file *f)
{
    struct pipe *p = f->priv;
    if (file_can_read(f) && --p->readers == 0) {
        wait_wake(&p->writers_q);
    }
    if (file_can_write(f) && --p->writers == 0) {
        wait_wake(&p->readers_q);
    }
    if (p->readers == 0 && p->writers == 0) {
        f->inode->pipe = NULL;
        pipe_free(p);
    }
}

static long pipe_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    struct pipe *p = f->priv;
    if (cmd == 0x541b) { /* FIONREAD */
        int32_t n = (int32_t)(p->head - p->tail);
        return mb_copy_out(arg, &n, sizeof(n));
    }
    return -ENOTTY;
}

static const struct file_ops pipe_ops = {
    .name = "pipe",
    .read = pipe_read,
    .write = pipe_write,
    .poll = pipe_poll,
    .ioctl = pipe_ioctl,
    .release = pipe_release,
    .tells = true,
};

struct pipe *pipe_of(const struct file *f)
{
    return f->ops == &pipe_ops ? f->priv : NULL;
}

long pipe_get_size(struct file *f)
{
    return f->ops == &pipe_ops ? (long)((struct pipe *)f->priv)->cap : -EBADF;
}

/* F_SETPIPE_SZ: a power of two of pages; what is in it must fit. */
long pipe_set_size(struct file *f, uint64_t size)
{
    if (f->ops != &pipe_ops) {
        return -EBADF;
    }
    struct pipe *p = f->priv;
    uint32_t pages = 1;
    if (size > PIPE_SIZE_HARD) {
        return -EINVAL;
    }
    while (pages * MB_PAGE < size) {
        pages *= 2;
    }
    if (pages * MB_PAGE > p->cap && pages * MB_PAGE > (uint64_t)pipe_size_max &&
        !capable(CAP_SYS_RESOURCE)) {
        return -EPERM;
    }
    uint32_t used = p->head - p->tail, cap = pages * (uint32_t)MB_PAGE;
    if (used > cap || p->held) {
        return -EBUSY;
    }
    if (cap == p->cap) {
        return cap;
    }
    /* What is in it moves to the start of new pages. */
    struct pipe to = {.cap = cap, .page = mb_zalloc(pages * sizeof(*to.page))};
    if (to.page == NULL) {
        return -ENOMEM;
    }
    for (uint32_t at = p->tail, n; at != p->head; at += n) {
        uint32_t in = at % MB_PAGE;
        n = MB_PAGE - in < p->head - at ? MB_PAGE - in : p->head - at;
        struct iobuf b = iobuf_kernel(p->page[(at & (p->cap - 1)) / MB_PAGE] + in, n);
        if (pipe_ring_put(&to, &b) != (long)n) {
            pages_free(&to);
            mb_free(to.page);
            return -ENOMEM;
        }
    }
    pages_free(p);
    if (p->page != p->page0) {
        mb_free(p->page);
    }
    p->page = to.page;
    p->cap = cap;
    p->tail = 0;
    p->head = used;
    wait_wake(&p->writers_q);
    return cap;
}

/* ---- making ---- */

int pipe_make(struct file **rd, struct file **wr, unsigned flags)
{
    struct pipe *p = pipe_alloc();
    if (p == NULL) {
        return -ENOMEM;
    }
    flags &= O_NONBLOCK | O_DIRECT;
    p->readers = p->opened_r = 1;
    struct file *r = file_make_anon(&pipe_ops, S_IFIFO | 0600, O_RDONLY | flags, p);
    if (r == NULL) {
        pipe_free(p);
        return -ENOMEM;
    }
    r->inode->pipe = p; /* so that /proc/self/fd/0 can be opened, as a FIFO is */
    struct file *w = file_make_inode(&pipe_ops, r->inode, O_WRONLY | flags, p);
    if (w == NULL) {
        file_unref(r); /* and the pipe with it */
        return -ENOMEM;
    }
    p->writers = p->opened_w = 1;
    *rd = r;
    *wr = w;
    return 0;
}

/* Opening a FIFO: each end waits for the other, unless told not to. */
int fifo_open(struct inode *ino, struct file *f)
{
    struct pipe *p = ino->pipe;
    if (p == NULL) {
        p = ino->pipe = pipe_alloc();
        if (p == NULL) {
            return -ENOMEM;
        }
    }
    bool rd = file_can_read(f), wr = file_can_write(f);
    /* A pipe opened once more through /proc/<pid>/fd has met its other end before. */
    bool nonblock = (f->flags & O_NONBLOCK) != 0 || ino->sb == NULL;
    if (!rd && !wr) {
        if (p->readers == 0 && p->writers == 0) {
            ino->pipe = NULL;
            pipe_free(p);
        }
        return -EINVAL;
    }
    if (wr && !rd && nonblock && p->readers == 0 && ino->sb != NULL) {
        if (p->writers == 0) {
            ino->pipe = NULL;
            pipe_free(p);
        }
        return -ENXIO;
    }
    f->ops = &pipe_ops;
    f->priv = p;
    if (rd) {
        p->readers++;
        p->opened_r++;
        wait_wake(&p->writers_q);
    }
    if (wr) {
        p->writers++;
        p->opened_w++;
        wait_wake(&p->readers_q);
    }
    f->pos = rd && !wr && p->writers == 0 ? (int64_t)p->opened_w : -1;
    uint32_t seen = rd ? p->opened_w : p->opened_r;
    while (!(rd && wr) && !nonblock && (rd ? p->writers : p->readers) == 0 &&
           (rd ? p->opened_w : p->opened_r) == seen) {
        int err = wait_on(rd ? &p->readers_q : &p->writers_q, MB_NEVER);
        if (err < 0) {
            pipe_release(f);
            return err == -EINTR ? -ERESTARTSYS : err;
        }
    }
    if (!nonblock || ino->sb == NULL) {
        f->pos = -1; /* it has met a writer */
    }
    return 0;
}

long sys_pipe2(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[1];
    struct file *rd, *wr;
    if ((flags & ~(unsigned)(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) != 0) {
        return -EINVAL;
    }
    int err = pipe_make(&rd, &wr, flags);
    if (err < 0) {
        return err;
    }
    bool cloexec = (flags & O_CLOEXEC) != 0;
    int32_t fds[2];
    fds[0] = fd_install(rd, 0, cloexec);
    if (fds[0] < 0) {
        file_unref(wr);
        return fds[0];
    }
    fds[1] = fd_install(wr, 0, cloexec);
    if (fds[1] < 0) {
        fd_close(fds[0]);
        return fds[1];
    }
    err = mb_copy_out(a[0], fds, sizeof(fds));
    if (err < 0) {
        fd_close(fds[0]);
        fd_close(fds[1]);
    }
    return err;
}
