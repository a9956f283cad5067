/* read, write and their relatives: check the descriptor and the arguments, let the file do the rest. */
#include "fd/fd_int.h"

typedef long transfer(struct file *f, struct iobuf *b, int64_t *pos);

/* The file and its operation; NULL with *err.  On the path of every read and write: inlined. */
static inline __attribute__((always_inline)) struct file *file_for(int fd, bool write,
                                                                   transfer **op, long *err)
{
    struct file *f = fd_peek(fd);
    if (f == NULL || !(write ? file_can_write(f) : file_can_read(f)) || (f->flags & O_PATH) != 0) {
        *err = -EBADF;
        return NULL;
    }
    *op = write ? f->ops->write : f->ops->read;
    if (*op == NULL) {
        *err = -EINVAL;
        return NULL;
    }
    return file_ref(f);
}

/* For /proc/<pid>/io. */
static inline long account(bool write, long n)
{
    struct io_account *io = &current->proc->io;
    io->calls[write]++;
    io->bytes[write] += n > 0 ? (uint64_t)n : 0;
    return n;
}

static inline size_t rw_len(uint64_t n)
{
    return n < ABI_RW_MAX ? n : ABI_RW_MAX;
}

long sys_read(const uint64_t a[6])
{
    transfer *op;
    long result;
    struct file *f = file_for((int)a[0], false, &op, &result);
    if (f != NULL) {
        struct iobuf b = iobuf_user(a[1], rw_len(a[2]));
        result = account(false, op(f, &b, &f->pos));
        file_unref(f);
    }
    return result;
}

long sys_write(const uint64_t a[6])
{
    transfer *op;
    long result;
    struct file *f = file_for((int)a[0], true, &op, &result);
    if (f != NULL) {
        struct iobuf b = iobuf_user(a[1], rw_len(a[2]));
        result = account(true, op(f, &b, &f->pos));
        file_unref(f);
    }
    return result;
}

/* pread and the like: at a position given, which streams do not have. */
static long transfer_at(int fd, bool write, struct iobuf *b, int64_t pos)
{
    transfer *op;
    long result;
    if (pos < 0) {
        return -EINVAL;
    }
    struct file *f = file_for(fd, write, &op, &result);
    if (f != NULL) {
        result = f->ops->lseek == NULL ? -ESPIPE : account(write, op(f, b, &pos));
        file_unref(f);
    }
    return result;
}

long sys_pread64(const uint64_t a[6])
{
    struct iobuf b = iobuf_user(a[1], rw_len(a[2]));
    return transfer_at((int)a[0], false, &b, (int64_t)a[3]);
}

long sys_pwrite64(const uint64_t a[6])
{
    struct iobuf b = iobuf_user(a[1], rw_len(a[2]));
    return transfer_at((int)a[0], true, &b, (int64_t)a[3]);
}

static long transfer_vector(const uint64_t a[6], bool write, bool at)
{
    transfer *op;
    long result;
    struct iov v;
    if (at && (int64_t)a[3] < 0) {
        return -EINVAL;
    }
    struct file *f = file_for((int)a[0], write, &op, &result);
    if (f == NULL) {
        return result;
    }
    if (at && f->ops->lseek == NULL) {
        result = -ESPIPE;
    } else {
        result = iov_get(a[1], a[2], &v);
        if (result == 0) {
            int64_t pos = (int64_t)a[3];
            result = account(write, op(f, &v.b, at ? &pos : &f->pos));
            iov_end(&v);
        }
    }
    file_unref(f);
    return result;
}

long sys_readv(const uint64_t a[6])
{
    return transfer_vector(a, false, false);
}

long sys_writev(const uint64_t a[6])
{
    return transfer_vector(a, true, false);
}

long sys_preadv(const uint64_t a[6])
{
    return transfer_vector(a, false, true);
}

long sys_pwritev(const uint64_t a[6])
{
    return transfer_vector(a, true, true);
}

long sys_lseek(const uint64_t a[6])
{
    struct file *f = fd_peek((int)a[0]);
    if (f == NULL || (f->flags & O_PATH) != 0) {
        return -EBADF;
    }
    return f->ops->lseek != NULL ? f->ops->lseek(f, (int64_t)a[1], (int)a[2]) : -ESPIPE;
}

long sys_getdents64(const uint64_t a[6])
{
    struct file *f = fd_get((int)a[0]);
    if (f == NULL) {
        return -EBADF;
    }
    long result = -ENOTDIR;
    if (f->ops->getdents != NULL) {
        struct iobuf b = iobuf_user(a[1], (uint32_t)a[2]);
        result = f->ops->getdents(f, &b);
    }
    file_unref(f);
    return result;
}

/* Bytes from in at *pos to out, through a page of our own. */
static long send(struct file *in, struct file *out, int64_t *pos, size_t count)
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
        int64_t at = *pos;
        long got = in->ops->read(in, &b, &at);
        if (got <= 0) {
            err = got;
            break;
        }
        b = iobuf_kernel(bounce, (size_t)got);
        long put = out->ops->write(out, &b, &out->pos);
        if (put <= 0) {
            err = put;
            break;
        }
        *pos += put; /* what was read but not taken is read again */
        done += (size_t)put;
        account(false, put);
        account(true, put);
        mb_lock_break();
        if (put < got || signal_interrupts()) {
            break;
        }
    }
    mb_free(bounce);
    return done > 0 ? (long)done : err;
}

long sys_sendfile(const uint64_t a[6])
{
    transfer *op;
    long result;
    int64_t off = 0;
    if (a[2] != 0 && mb_copy_in(&off, a[2], sizeof(off)) < 0) {
        return -EFAULT;
    }
    struct file *in = file_for((int)a[1], false, &op, &result);
    if (in == NULL) {
        return result;
    }
    struct file *out = file_for((int)a[0], true, &op, &result);
    if (out != NULL) {
        if (in->ops->lseek == NULL) {
            result = a[2] != 0 ? -ESPIPE : -EINVAL;
        } else if (off < 0 || (out->flags & O_APPEND) != 0) {
            result = -EINVAL;
        } else {
            result = send(in, out, a[2] != 0 ? &off : &in->pos, rw_len(a[3]));
            if (result > 0 && a[2] != 0 && mb_copy_out(a[2], &off, sizeof(off)) < 0) {
                result = -EFAULT;
            }
        }
        file_unref(out);
    }
    file_unref(in);
    return result;
}
