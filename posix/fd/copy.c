/* sendfile and copy_file_range: from file to file through a page of our own.
 *
 * Others are let in between the pages, as this may take long; a signal ends it with what is done.
 */
#include "fd/fd_int.h"
#include "fs/notify.h"

/* count bytes of in at *from to out at *to; both move on by what was written. */
static long move(struct file *in, int64_t *from, struct file *out, int64_t *to, size_t count)
{
    size_t done = 0;
    long err = 0;
    char *bounce = mb_alloc(MB_PAGE);
    if (bounce == NULL) {
        return -ENOMEM;
    }
    while (done < count) {
        size_t n = count - done < MB_PAGE ? count - done : MB_PAGE;
        struct iobuf b = iobuf_kernel(bounce, n);
        int64_t at = *from;
        long got = in->ops->read(in, &b, &at);
        if (got <= 0) {
            err = got;
            break;
        }
        b = iobuf_kernel(bounce, (size_t)got);
        long put = out->ops->write(out, &b, to);
        if (put <= 0) {
            err = put;
            break;
        }
        *from += put; /* what was read but not taken is read again */
        done += (size_t)put;
        mb_lock_break();
        if (put < got || signal_interrupts()) {
            break;
        }
    }
    mb_free(bounce);
    if (done > 0) {
        notify_file(in, IN_ACCESS);
        notify_file(out, IN_MODIFY);
    }
    return done > 0 ? (long)done : err;
}

/* Both files, referenced, of which in can be read and out written; or -EBADF. */
static int pair_get(int in_fd, int out_fd, struct file **in, struct file **out)
{
    *in = fd_get(in_fd);
    *out = fd_get(out_fd);
    if (*in != NULL && *out != NULL && file_can_read(*in) && file_can_write(*out)) {
        return 0;
    }
    if (*in != NULL) {
        file_unref(*in);
    }
    if (*out != NULL) {
        file_unref(*out);
    }
    return -EBADF;
}

static void pair_put(struct file *in, struct file *out)
{
    file_unref(in);
    file_unref(out);
}

long sys_sendfile(const uint64_t a[6])
{
    struct file *in, *out;
    int64_t off = 0;
    if (a[2] != 0 && mb_copy_in(&off, a[2], sizeof(off)) < 0) {
        return -EFAULT;
    }
    long result = pair_get((int)a[1], (int)a[0], &in, &out);
    if (result < 0) {
        return result;
    }
    size_t count = a[3] < ABI_RW_MAX ? a[3] : ABI_RW_MAX;
    if (in->ops->lseek == NULL) {
        result = a[2] != 0 ? -ESPIPE : -EINVAL;
    } else if (off < 0 || (int64_t)a[3] < 0 || (out->flags & O_APPEND) != 0 ||
               in->ops->read == NULL || out->ops->write == NULL) {
        result = -EINVAL;
    } else {
        result = move(in, a[2] != 0 ? &off : &in->pos, out, &out->pos, count);
        if (a[2] != 0 && mb_copy_out(a[2], &off, sizeof(off)) < 0) {
            result = -EFAULT;
        }
    }
    pair_put(in, out);
    return result;
}

/* ---- copy_file_range ---- */

static int range_check(const struct file *in, int64_t from, const struct file *out, int64_t to,
                       int64_t *len)
{
    int64_t end;
    const struct inode *a = in->inode, *b = out->inode;
    if (S_ISDIR(a->mode) || S_ISDIR(b->mode)) {
        return -EISDIR;
    }
    if (!S_ISREG(a->mode) || !S_ISREG(b->mode)) {
        return -EINVAL;
    }
    if ((out->flags & O_APPEND) != 0) {
        return -EBADF;
    }
    if (a->sb != b->sb) {
        return -EXDEV;
    }
    if (in->ops->read == NULL || out->ops->write == NULL || from < 0 || to < 0) {
        return -EINVAL;
    }
    if (__builtin_add_overflow(from, *len, &end) || __builtin_add_overflow(to, *len, &end)) {
        return -EOVERFLOW;
    }
    int64_t left = a->size > from ? a->size - from : 0;
    *len = left < *len ? left : *len;
    return a == b && from < to + *len && to < from + *len ? -EINVAL : 0;
}

long sys_copy_file_range(const uint64_t a[6])
{
    struct file *in, *out;
    int64_t len = (int64_t)a[4], from = 0, to = 0;
    if (len < 0) {
        return -EOVERFLOW;
    }
    long result = pair_get((int)a[0], (int)a[2], &in, &out);
    if (result < 0) {
        return result;
    }
    from = in->pos;
    to = out->pos;
    if ((a[1] != 0 && mb_copy_in(&from, a[1], sizeof(from)) < 0) ||
        (a[3] != 0 && mb_copy_in(&to, a[3], sizeof(to)) < 0)) {
        result = -EFAULT;
    } else if (a[5] != 0) {
        result = -EINVAL;
    } else {
        result = range_check(in, from, out, to, &len);
    }
    if (result == 0 && len > 0) {
        size_t count = (size_t)len < ABI_RW_MAX ? (size_t)len : ABI_RW_MAX;
        result = move(in, &from, out, &to, count);
        if (result > 0) {
            if (a[1] == 0) {
                in->pos = from;
            } else if (mb_copy_out(a[1], &from, sizeof(from)) < 0) {
                result = -EFAULT;
            }
            if (a[3] == 0) {
                out->pos = to;
            } else if (mb_copy_out(a[3], &to, sizeof(to)) < 0) {
                result = -EFAULT;
            }
        }
    }
    pair_put(in, out);
    return result;
}
