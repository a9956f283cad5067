/* read, write and their relatives: check the descriptor and the arguments, let the file do the rest. */
#include "fd/fd_int.h"
#include "fs/notify.h"

#include <linux/fs.h>

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

/* Bytes were moved: it is counted for /proc/<pid>/io, and who watches the file is told. */
static inline long tell(const struct file *f, bool write, long n)
{
    struct io_account *io = &current->proc->io;
    io->calls[write]++;
    if (n > 0) {
        io->bytes[write] += (uint64_t)n;
        notify_file(f, write ? IN_MODIFY : IN_ACCESS);
    }
    return n;
}

static inline size_t rw_len(uint64_t n)
{
    return n < ABI_RW_MAX ? n : ABI_RW_MAX;
}

/* A buffer that no program can have is refused before anything is done, whatever there is to move. */
static inline __attribute__((always_inline)) long transfer_user(const uint64_t a[6], bool write)
{
    transfer *op;
    long result;
    struct file *f = file_for((int)a[0], write, &op, &result);
    if (f != NULL) {
        struct iobuf b = iobuf_user(a[1], rw_len(a[2]));
        result = mb_range_ok(a[1], a[2]) ? tell(f, write, op(f, &b, &f->pos)) : -EFAULT;
        file_unref(f);
    }
    return result;
}

long sys_read(const uint64_t a[6])
{
    return transfer_user(a, false);
}

long sys_write(const uint64_t a[6])
{
    return transfer_user(a, true);
}

/* pread and the like: at a position given, which streams do not have, whatever they were opened for. */
static struct file *file_at(int fd, bool write, transfer **op, long *err)
{
    const struct file *f = fd_peek(fd);
    if (f != NULL && f->ops->lseek == NULL && (f->flags & O_PATH) == 0) {
        *err = -ESPIPE;
        return NULL;
    }
    return file_for(fd, write, op, err);
}

static long transfer_at(const uint64_t a[6], bool write)
{
    transfer *op;
    long result;
    int64_t pos = (int64_t)a[3];
    if (pos < 0) {
        return -EINVAL;
    }
    struct file *f = file_at((int)a[0], write, &op, &result);
    if (f != NULL) {
        struct iobuf b = iobuf_user(a[1], rw_len(a[2]));
        result = mb_range_ok(a[1], a[2]) ? tell(f, write, op(f, &b, &pos)) : -EFAULT;
        file_unref(f);
    }
    return result;
}

long sys_pread64(const uint64_t a[6])
{
    return transfer_at(a, false);
}

long sys_pwrite64(const uint64_t a[6])
{
    return transfer_at(a, true);
}

/* Nothing here can promise not to wait but files in memory. */
int file_flags_check(const struct file *f, unsigned flags)
{
    if ((flags & ~(unsigned)RWF_SUPPORTED) != 0) {
        return -EOPNOTSUPP;
    }
    return (flags & RWF_NOWAIT) != 0 && f->ops != &tmpfs_file_ops ? -EOPNOTSUPP : 0;
}

long file_transfer(struct file *f, struct iobuf *b, int64_t *pos, bool write, unsigned flags)
{
    transfer *op = write ? f->ops->write : f->ops->read;
    if (write && (flags & RWF_APPEND) != 0 && S_ISREG(f->inode->mode)) {
        *pos = f->inode->size; /* nothing sleeps before the file looks at it */
    }
    long n = op(f, b, pos);
    tell(f, write, n);
    if (n > 0 && write && (flags & (RWF_SYNC | RWF_DSYNC)) != 0 && f->ops->fsync != NULL) {
        int err = f->ops->fsync(f);
        n = err < 0 ? err : n;
    }
    return n;
}

static long transfer_vector(const uint64_t a[6], bool write, bool at, unsigned flags)
{
    transfer *op;
    long result;
    struct iov v;
    int64_t given = (int64_t)a[3];
    if (at && given < 0) {
        return -EINVAL;
    }
    struct file *f =
        at ? file_at((int)a[0], write, &op, &result) : file_for((int)a[0], write, &op, &result);
    if (f == NULL) {
        return result;
    }
    result = file_flags_check(f, flags);
    if (result == 0) {
        result = iov_get(a[1], a[2], &v);
        if (result == 0) {
            result = file_transfer(f, &v.b, at ? &given : &f->pos, write, flags);
            iov_end(&v);
        }
    }
    file_unref(f);
    return result;
}

long sys_readv(const uint64_t a[6])
{
    return transfer_vector(a, false, false, 0);
}

long sys_writev(const uint64_t a[6])
{
    return transfer_vector(a, true, false, 0);
}

long sys_preadv(const uint64_t a[6])
{
    return transfer_vector(a, false, true, 0);
}

long sys_pwritev(const uint64_t a[6])
{
    return transfer_vector(a, true, true, 0);
}

/* At position -1: where the file is, as readv and writev do. */
long sys_preadv2(const uint64_t a[6])
{
    return transfer_vector(a, false, (int64_t)a[3] != -1, (unsigned)a[5]);
}

long sys_pwritev2(const uint64_t a[6])
{
    return transfer_vector(a, true, (int64_t)a[3] != -1, (unsigned)a[5]);
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
        if (result >= 0) {
            notify_file(f, IN_ACCESS);
        }
    }
    file_unref(f);
    return result;
}
