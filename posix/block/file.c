/* /dev/vda and its partitions as files.
 *
 * O_DIRECT is taken as a hint: such reads are neither read ahead nor kept, and need not be aligned.
 * O_SYNC and O_DSYNC flush after every write.  No mmap (ENODEV): reading a page would sleep in the
 * middle of whatever made the fault, and nothing above is made for that.
 */
#include <asm/errno.h>
#include <linux/fs.h>
#include <string.h>

#include "block/block.h"
#include "fs/inode.h"

#ifndef O_DIRECT
#define O_DIRECT 040000
#endif
#define SECTOR 512
#define IO_OPTIMAL (128u << 10)

static struct blk_file *of(const struct file *f)
{
    return f->priv;
}

static long file_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct blk_file *bf = of(f);
    uint64_t size = bf->part->bytes, at = (uint64_t)*pos;
    if (at >= size || b->len == 0) {
        return 0;
    }
    size_t len = b->len < size - at ? b->len : (size_t)(size - at);
    long n = blk_read(bf, b, bf->part->start + at, len, (f->flags & O_DIRECT) != 0);
    *pos += n > 0 ? n : 0;
    return n;
}

static long file_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    const struct blk_file *bf = of(f);
    uint64_t size = bf->part->bytes, at = (uint64_t)*pos;
    if (bf->disk->c.readonly) {
        return -EPERM;
    }
    if ((f->flags & O_APPEND) != 0) {
        at = size;
    }
    if (b->len == 0) {
        return 0;
    }
    if (at >= size) {
        return -ENOSPC;
    }
    size_t len = b->len < size - at ? b->len : (size_t)(size - at);
    long n = blk_write(bf->disk, b, bf->part->start + at, len);
    if (n > 0) {
        *pos = (int64_t)at + n;
        if ((f->flags & O_DSYNC) != 0) { /* O_SYNC has this bit, too */
            int err = blk_flush(bf->disk);
            n = err < 0 ? err : n;
        }
    }
    return n;
}

static int64_t file_lseek(struct file *f, int64_t off, int whence)
{
    int64_t size = (int64_t)of(f)->part->bytes, base = 0;
    switch (whence) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        base = f->pos;
        break;
    case SEEK_END:
        base = size;
        break;
    default:
        return -EINVAL;
    }
    if (__builtin_add_overflow(base, off, &off) || off < 0 || off > size) {
        return -EINVAL;
    }
    return f->pos = off;
}

static unsigned file_poll(struct file *f, struct poll_table *pt)
{
    return ABI_POLLIN | ABI_POLLOUT | ABI_POLLRDNORM | ABI_POLLWRNORM;
}

static int file_fsync(struct file *f)
{
    return blk_flush(of(f)->disk);
}

/* ---- ioctls ---- */

static long put32(uint64_t arg, uint32_t v)
{
    return mb_copy_out(arg, &v, sizeof(v));
}

static long put64(uint64_t arg, uint64_t v)
{
    return mb_copy_out(arg, &v, sizeof(v));
}

/* Everything that was kept of the disk is forgotten. */
static long flush_buffers(struct disk *d)
{
    if (!capable(CAP_SYS_ADMIN)) {
        return -EACCES;
    }
    int err = blk_flush(d);
    blk_windows_drop(d, 0, ~0ul);
    cache_drop(d->index, 0, ~0ul);
    return err;
}

static long reread(struct blk_file *bf)
{
    if (!capable(CAP_SYS_ADMIN)) {
        return -EACCES;
    }
    if (bf->part != &bf->disk->part[0]) {
        return -EINVAL;
    }
    for (unsigned i = 1; i < BLK_MINORS; i++) {
        if (bf->disk->part[i].opens > 0) {
            return -EBUSY;
        }
    }
    disk_scan(bf->disk);
    return 0;
}

static long file_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
    struct blk_file *bf = of(f);
    int32_t n;
    switch (cmd) {
    case BLKGETSIZE64:
        return put64(arg, bf->part->bytes);
    case BLKGETSIZE:
        return put64(arg, bf->part->bytes / SECTOR);
    case BLKSSZGET:
    case BLKPBSZGET:
    case BLKIOMIN:
        return put32(arg, SECTOR);
    case BLKBSZGET:
        return put32(arg, MB_PAGE);
    case BLKBSZSET: /* there are no buffers whose size it would be */
        if (mb_copy_in(&n, arg, sizeof(n)) < 0) {
            return -EFAULT;
        }
        return n >= SECTOR && n <= (int32_t)MB_PAGE && (n & (n - 1)) == 0 ? 0 : -EINVAL;
    case BLKIOOPT:
        return put32(arg, IO_OPTIMAL);
    case BLKALIGNOFF:
        return put32(arg, 0);
    case BLKROGET:
        return put32(arg, bf->disk->c.readonly);
    case BLKRAGET:
        return put64(arg, (512u << 10) / SECTOR);
    case BLKRASET: /* how far is decided by who reads */
        return capable(CAP_SYS_ADMIN) ? 0 : -EACCES;
    case BLKFLSBUF:
        return flush_buffers(bf->disk);
    case BLKRRPART:
        return reread(bf);
    default:
        return -ENOTTY;
    }
}

/* ---- open and close ---- */

/* After the last close nothing is kept of what a reader had asked for and not taken. */
static void file_release(struct file *f)
{
    struct blk_file *bf = of(f);
    bf->part->opens--;
    if (--bf->disk->opens == 0) {
        blk_windows_drop(bf->disk, 0, ~0ul);
    }
    mb_free(bf);
}

static const struct file_ops ops = {
    .name = "block",
    .read = file_read,
    .write = file_write,
    .lseek = file_lseek,
    .poll = file_poll,
    .ioctl = file_ioctl,
    .fsync = file_fsync,
    .release = file_release,
};

int blk_open(struct file *f)
{
    uint32_t minor = dev_minor(f->inode->rdev);
    struct disk *d = disk_get(minor / BLK_MINORS);
    struct disk_part *part = d != NULL ? &d->part[minor % BLK_MINORS] : NULL;
    if (part == NULL || !part->present) {
        return -ENXIO;
    }
    struct blk_file *bf = mb_alloc(sizeof(*bf));
    if (bf == NULL) {
        return -ENOMEM;
    }
    *bf = (struct blk_file){.disk = d, .part = part, .next = part->start, .window = MB_PAGE};
    part->opens++;
    d->opens++;
    f->priv = bf;
    f->ops = &ops;
    return 0;
}
