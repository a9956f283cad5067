/* Making written data safe, and hints about what will be read.
 *
 * Files are memory: what is written is as safe as it can be, and hints are of no use once the arguments are
 * checked.  Disks have something to do.
 */
#include "fd/fd_int.h"

#include <linux/fadvise.h>
#include <linux/fs.h>

static bool has_pages(const struct file *f)
{
    return S_ISREG(f->inode->mode) || S_ISBLK(f->inode->mode);
}

int file_fsync_nothing(struct file *f)
{
    return 0;
}

long sys_fsync(const uint64_t a[6])
{
    struct file *f = fd_get((int)a[0]);
    if (f == NULL) {
        return -EBADF;
    }
    int err = f->ops->fsync != NULL ? f->ops->fsync(f) : -EINVAL;
    file_unref(f);
    return err;
}

long sys_fdatasync(const uint64_t a[6])
{
    return sys_fsync(a);
}

/* The file system a file is on; all there is behind one is a disk's cache. */
long sys_syncfs(const uint64_t a[6])
{
    struct file *f = fd_get((int)a[0]);
    if (f == NULL) {
        return -EBADF;
    }
    int err = vfs_block != NULL ? vfs_block->sync() : 0;
    file_unref(f);
    return err;
}

long sys_sync_file_range(const uint64_t a[6])
{
    int64_t off = (int64_t)a[1], len = (int64_t)a[2], end;
    unsigned flags = (unsigned)a[3];
    struct file *f = fd_get((int)a[0]);
    if (f == NULL) {
        return -EBADF;
    }
    long result = 0;
    if ((flags & ~(unsigned)(SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                             SYNC_FILE_RANGE_WAIT_AFTER)) != 0 ||
        off < 0 || len < 0 || __builtin_add_overflow(off, len, &end)) {
        result = -EINVAL;
    } else if (!has_pages(f) && !S_ISDIR(f->inode->mode) && !S_ISLNK(f->inode->mode)) {
        result = -ESPIPE;
    } else if (flags != 0) {
        result = f->ops->fsync != NULL ? f->ops->fsync(f) : 0;
    }
    file_unref(f);
    return result;
}

long sys_fadvise64(const uint64_t a[6])
{
    struct file *f = fd_get((int)a[0]);
    if (f == NULL) {
        return -EBADF;
    }
    long result = 0;
    if (S_ISFIFO(f->inode->mode)) {
        result = -ESPIPE;
    } else if ((int64_t)a[2] < 0 || (int)a[3] < POSIX_FADV_NORMAL ||
               (int)a[3] > POSIX_FADV_NOREUSE) {
        result = -EINVAL;
    }
    file_unref(f);
    return result;
}

long sys_readahead(const uint64_t a[6])
{
    struct file *f = fd_get((int)a[0]);
    if (f == NULL) {
        return -EBADF;
    }
    long result = !file_can_read(f) ? -EBADF : has_pages(f) ? 0 : -EINVAL;
    file_unref(f);
    return result;
}
