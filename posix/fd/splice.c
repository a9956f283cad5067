/* splice, tee, vmsplice: data from and to pipes without the program touching it.
 *
 * Data is copied once: between two rings, between a ring and program memory, and from a ring straight to
 * the file; from a file it takes a page between.  While a file takes what is at the tail of a pipe, which
 * may sleep, the pipe is held: other readers wait.
 */
#include "fd/pipe_int.h"
#include "fs/notify.h"

#define SPLICE_F_NONBLOCK_ 2u
#define SPLICE_F_ALL_ 15u /* MOVE, NONBLOCK, MORE, GIFT */

/* The bytes at offset `off` behind the tail that lie side by side. */
static struct iobuf ring_piece(const struct pipe *p, uint32_t off, size_t max)
{
    uint32_t at = (p->tail + off) & (p->cap - 1), have = p->head - p->tail - off;
    size_t n = MB_PAGE - at % MB_PAGE;
    n = n < have ? n : have;
    n = n < max ? n : max;
    return iobuf_kernel(p->page[at / MB_PAGE] + at % MB_PAGE, n);
}

/* ---- pipe to pipe ---- */

static long pipe_to_pipe(struct pipe *in, struct pipe *out, size_t len, bool keep, bool nonblock)
{
    do { /* while one was waited for, the other may have changed */
        int err = pipe_wait_data(in, nonblock);
        if (err > 0) {
            err = pipe_wait_room(out, nonblock);
        } else if (err == 0) {
            return 0;
        }
        if (err < 0) {
            return err;
        }
    } while (in->head == in->tail || in->held);
    uint32_t in_used = in->head - in->tail, out_used = out->head - out->tail, done = 0;
    long err = 0;
    while (done < len && done < in_used && out->head - out->tail < out->cap && err >= 0) {
        struct iobuf b = ring_piece(in, done, len - done);
        err = pipe_ring_put(out, &b);
        done += err > 0 ? (uint32_t)err : 0;
    }
    if (!keep) {
        in->tail += done;
        pipe_taken(in, in_used);
    }
    pipe_given(out, out_used);
    return done > 0 ? (long)done : err;
}

long sys_tee(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[3];
    if ((flags & ~SPLICE_F_ALL_) != 0) {
        return -EINVAL;
    }
    if (a[2] == 0) {
        return 0;
    }
    struct file *in = fd_get((int)a[0]), *out = fd_get((int)a[1]);
    long result = -EBADF;
    if (in != NULL && out != NULL && file_can_read(in) && file_can_write(out)) {
        struct pipe *from = pipe_of(in), *to = pipe_of(out);
        bool nonblock =
            (flags & SPLICE_F_NONBLOCK_) != 0 || ((in->flags | out->flags) & O_NONBLOCK) != 0;
        size_t len = a[2] < ABI_RW_MAX ? a[2] : ABI_RW_MAX;
        result = from == NULL || to == NULL || from == to
                     ? -EINVAL
                     : pipe_to_pipe(from, to, len, true, nonblock);
    }
    if (in != NULL) {
        file_unref(in);
    }
    if (out != NULL) {
        file_unref(out);
    }
    return result;
}

/* ---- pipe to file ---- */

static long pipe_to_file(struct pipe *p, struct file *out, int64_t *pos, size_t len, bool nonblock)
{
    size_t done = 0;
    long err = 0;
    while (done < len) {
        if (done > 0 && (p->head == p->tail || p->held)) {
            break;
        }
        err = pipe_wait_data(p, nonblock);
        if (err <= 0) {
            break;
        }
        struct iobuf b = ring_piece(p, 0, len - done);
        size_t n = b.len;
        p->held = true;
        err = out->ops->write(out, &b, pos);
        p->held = false;
        if (err > 0) {
            uint32_t used = p->head - p->tail;
            p->tail += (uint32_t)err;
            done += (size_t)err;
            pipe_taken(p, used);
        }
        wait_wake(&p->readers_q); /* those the hold kept waiting */
        if (err < (long)n) {
            break;
        }
        mb_lock_break();
    }
    if (done > 0) {
        notify_file(out, IN_MODIFY);
    }
    return done > 0 ? (long)done : err;
}

/* ---- file to pipe ---- */

/* All n bytes at mem: what a stream gave cannot be given back. */
static long put_all(struct pipe *p, char *mem, size_t n)
{
    struct iobuf b = iobuf_kernel(mem, n);
    while (b.len > 0) {
        uint32_t used = p->head - p->tail;
        long err = p->readers > 0 ? pipe_ring_put(p, &b) : -EPIPE;
        if (err < 0) {
            return b.len < n ? (long)(n - b.len) : err;
        }
        pipe_given(p, used);
        if (b.len > 0 && wait_on_killable(&p->writers_q, MB_NEVER) < 0) {
            return (long)(n - b.len);
        }
    }
    return (long)n;
}

/* As much as there is room for, a page at a time. */
static long file_to_pipe(struct file *in, int64_t *pos, struct pipe *p, size_t len, bool nonblock)
{
    bool stream = in->ops->lseek == NULL;
    size_t done = 0;
    long err = pipe_wait_room(p, nonblock);
    char *page = err == 0 ? mb_alloc(MB_PAGE) : NULL;
    if (page == NULL) {
        return err < 0 ? err : -ENOMEM;
    }
    while (done < len) {
        size_t room = p->cap - (p->head - p->tail), n = len - done < MB_PAGE ? len - done : MB_PAGE;
        int64_t at = *pos;
        struct iobuf b = iobuf_kernel(page, n < room ? n : room);
        if (b.len == 0) {
            break;
        }
        err = in->ops->read(in, &b, &at);
        if (err <= 0) {
            break;
        }
        long got = err;
        if (stream) {
            err = put_all(p, page, (size_t)got);
        } else {
            uint32_t used = p->head - p->tail;
            b = iobuf_kernel(page, (size_t)got);
            err = pipe_ring_put(p, &b);
            pipe_given(p, used);
        }
        if (err > 0) {
            *pos = stream ? at : *pos + err;
            done += (size_t)err;
        }
        if (err < got || stream) {
            break;
        }
        mb_lock_break();
    }
    mb_free(page);
    if (done > 0) {
        notify_file(in, IN_ACCESS);
    }
    return done > 0 ? (long)done : err;
}

/* ---- splice ---- */

/* Where a file is read or written: its own position, or the program's, checked. */
static int offset_get(const struct file *f, uint64_t uoff, int64_t *own, int64_t *given,
                      int64_t **pos)
{
    *pos = own;
    if (uoff == 0) {
        return 0;
    }
    if (f->ops->lseek == NULL) {
        return -EINVAL;
    }
    *pos = given;
    if (mb_copy_in(given, uoff, sizeof(*given)) < 0) {
        return -EFAULT;
    }
    return *given < 0 ? -EINVAL : 0;
}

/* What else than pipes gives and takes pages: files with a type.  Linux has no splice for what poll and its kin are made
 * of (eventfd, timerfd ...), nor for directories. */
static bool spliceable(const struct file *f)
{
    return (f->inode->mode & S_IFMT) != 0 && !S_ISDIR(f->inode->mode);
}

static long splice_files(struct file *in, uint64_t uin, struct file *out, uint64_t uout, size_t len,
                         unsigned flags)
{
    struct pipe *from = pipe_of(in), *to = pipe_of(out);
    bool nonblock = (flags & SPLICE_F_NONBLOCK_) != 0;
    int64_t given, *pos;
    long n;
    if ((from != NULL && uin != 0) || (to != NULL && uout != 0)) {
        return -ESPIPE;
    }
    if (from != NULL && to != NULL) {
        nonblock |= ((in->flags | out->flags) & O_NONBLOCK) != 0;
        return from == to ? -EINVAL : pipe_to_pipe(from, to, len, false, nonblock);
    }
    if (from != NULL) {
        n = offset_get(out, uout, &out->pos, &given, &pos);
        if (n == 0 &&
            ((out->flags & O_APPEND) != 0 || out->ops->write == NULL || !spliceable(out))) {
            n = -EINVAL;
        }
        if (n == 0) {
            n = pipe_to_file(from, out, pos, len, nonblock || (in->flags & O_NONBLOCK) != 0);
        }
    } else if (to != NULL) {
        n = offset_get(in, uin, &in->pos, &given, &pos);
        if (n == 0 && (in->ops->read == NULL || !spliceable(in))) {
            n = -EINVAL;
        }
        if (n == 0) {
            n = file_to_pipe(in, pos, to, len, nonblock || (out->flags & O_NONBLOCK) != 0);
        }
    } else {
        return -EINVAL;
    }
    uint64_t uoff = uin != 0 ? uin : uout;
    if (n > 0 && uoff != 0 && mb_copy_out(uoff, &given, sizeof(given)) < 0) {
        return -EFAULT;
    }
    return n;
}

long sys_splice(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[5];
    size_t len = a[4] < ABI_RW_MAX ? a[4] : ABI_RW_MAX;
    if (len == 0) {
        return 0;
    }
    if ((flags & ~SPLICE_F_ALL_) != 0) {
        return -EINVAL;
    }
    struct file *in = fd_get((int)a[0]), *out = fd_get((int)a[2]);
    long result = -EBADF;
    if (in != NULL && out != NULL && file_can_read(in) && file_can_write(out)) {
        result = splice_files(in, a[1], out, a[3], len, flags);
    }
    if (in != NULL) {
        file_unref(in);
    }
    if (out != NULL) {
        file_unref(out);
    }
    return result;
}

/* ---- vmsplice ---- */

static long memory_to_pipe(struct pipe *p, struct iobuf *b, bool nonblock)
{
    long n = pipe_wait_room(p, nonblock);
    if (n == 0) {
        uint32_t used = p->head - p->tail;
        n = pipe_ring_put(p, b);
        pipe_given(p, used);
    }
    return n;
}

static long pipe_to_memory(struct pipe *p, struct iobuf *b, bool nonblock)
{
    long n = pipe_wait_data(p, nonblock);
    if (n > 0) {
        uint32_t used = p->head - p->tail;
        n = pipe_ring_get(p, b);
        pipe_taken(p, used);
    }
    return n;
}

long sys_vmsplice(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[3];
    struct iov v;
    if ((flags & ~SPLICE_F_ALL_) != 0) {
        return -EINVAL;
    }
    struct file *f = fd_get((int)a[0]);
    if (f == NULL) {
        return -EBADF;
    }
    struct pipe *p = pipe_of(f);
    long result = iov_get(a[1], a[2], &v);
    if (result == 0) {
        bool nonblock = (flags & SPLICE_F_NONBLOCK_) != 0 || (f->flags & O_NONBLOCK) != 0;
        if (v.b.len == 0) {
            result = 0;
        } else if (p == NULL) {
            result = -EBADF;
        } else {
            result = file_can_write(f) ? memory_to_pipe(p, &v.b, nonblock)
                                       : pipe_to_memory(p, &v.b, nonblock);
        }
        iov_end(&v);
    }
    file_unref(f);
    return result;
}
