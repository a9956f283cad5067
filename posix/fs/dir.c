/* Reading directories whose names are all in the hash: tmpfs, devtmpfs, the fixed part of procfs.
 *
 * The position is a cookie: 0 ".", 1 "..", else "entries with at least this cookie".  The file remembers
 * the entry it gave last, so that going on costs nothing; when that entry is gone, the list is searched.
 */
#include "fs/inode.h"

#include <string.h>

int dirent_put(struct iobuf *b, uint64_t ino, int64_t next, uint32_t mode, const char *name,
               unsigned len)
{
    struct {
        struct abi_dirent head;
        char name[NAME_MAX + 1 + 8];
    } e;
    unsigned reclen = (ABI_DIRENT_HEAD + len + 1 + 7) & ~7u;
    if (reclen > b->len) {
        return 1;
    }
    e.head.ino = ino;
    e.head.off = next;
    e.head.reclen = (uint16_t)reclen;
    e.head.type = mode >> 12 & 15;
    char *text = (char *)&e + ABI_DIRENT_HEAD;
    memcpy(text, name, len);
    memset(text + len, 0, reclen - ABI_DIRENT_HEAD - len);
    return iobuf_put(b, &e, reclen);
}

int dirent_dots(struct file *f, struct iobuf *b)
{
    int err = 0;
    if (f->pos == 0) {
        err = dirent_put(b, f->inode->ino, 1, S_IFDIR, ".", 1);
        f->pos += err == 0;
    }
    if (f->pos == 1 && err == 0) {
        err = dirent_put(b, f->dentry->parent->inode->ino, 2, S_IFDIR, "..", 2);
        f->pos += err == 0;
    }
    return err;
}

/* The first entry with a cookie of at least f->pos. */
static struct dentry *entry_at(struct file *f)
{
    struct inode *dir = f->inode;
    struct dentry *d = f->cursor;
    if (d != NULL && (d->flags & DENTRY_HASHED) != 0 && d->parent == f->dentry &&
        d->cookie + 1 == (uint64_t)f->pos) {
        return d->next;
    }
    d = dir->dir.first;
    while (d != NULL && d->cookie < (uint64_t)f->pos) {
        d = d->next;
    }
    return d;
}

static void cursor_set(struct file *f, struct dentry *d)
{
    struct dentry *old = f->cursor;
    f->cursor = d != NULL ? dentry_ref(d) : NULL;
    if (old != NULL) {
        dentry_unref(old);
    }
}

int dir_getdents(struct file *f, struct iobuf *b)
{
    struct inode *dir = f->inode;
    size_t room = b->len;
    struct dentry *last = NULL;

    if (dir->nlink == 0) {
        return -ENOENT;
    }
    int err = dirent_dots(f, b);
    for (struct dentry *d = err == 0 ? entry_at(f) : NULL; d != NULL; d = d->next) {
        err = dirent_put(b, d->inode->ino, (int64_t)d->cookie + 1, d->inode->mode, d->name, d->len);
        if (err != 0) {
            break;
        }
        f->pos = (int64_t)d->cookie + 1;
        last = d;
    }
    if (last != NULL) {
        cursor_set(f, last);
    }
    inode_accessed(dir, f);
    if (b->len != room) {
        return (int)(room - b->len);
    }
    return err > 0 ? -EINVAL : err;
}

int64_t dir_lseek(struct file *f, int64_t off, int whence)
{
    if (whence == SEEK_CUR) {
        off += f->pos;
    } else if (whence != SEEK_SET) {
        return -EINVAL;
    }
    if (off < 0) {
        return -EINVAL;
    }
    return f->pos = off;
}

void dir_release(struct file *f)
{
    cursor_set(f, NULL);
}

static long dir_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    (void)f, (void)b, (void)pos;
    return -EISDIR;
}

const struct file_ops dir_file_ops = {
    .name = "dir",
    .read = dir_read,
    .lseek = dir_lseek,
    .getdents = dir_getdents,
    .release = dir_release,
    .fsync = file_fsync_nothing,
};
