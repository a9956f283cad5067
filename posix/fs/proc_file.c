/* procfs: reading and writing a file.
 *
 * A file's text is made at the first read and again whenever it is read from the start; so a reader sees
 * one state, and a process that ends meanwhile does no harm.
 */
#include "fs/procfs.h"

#include <stdlib.h>
#include <string.h>

static int text_make(struct file *f)
{
    struct text *t = &((struct proc_text *)f->priv)->text;
    t->len = 0;
    t->failed = false;
    int err = procfs_entry(f->inode)->show(t, f->inode);
    return err == 0 && t->failed ? -ENOMEM : err;
}

long proc_text_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    const struct text *t = &((struct proc_text *)f->priv)->text;
    if (procfs_entry(f->inode)->show == NULL) {
        return -EINVAL;
    }
    if (*pos == 0 || t->buf == NULL) {
        int err = text_make(f);
        if (err < 0) {
            return err;
        }
    }
    if (*pos < 0 || (uint64_t)*pos >= t->len) {
        return 0;
    }
    size_t n = t->len - (size_t)*pos;
    n = n < b->len ? n : b->len;
    size_t before = b->len;
    int err = iobuf_put(b, t->buf + *pos, n);
    n = before - b->len;
    *pos += (int64_t)n;
    return n > 0 ? (long)n : err;
}

int procfs_number(const char *text, long min, long max, long *out)
{
    char *end;
    text += strspn(text, " \t\n");
    long n = strtol(text, &end, 0);
    if (end == text || end[strspn(end, " \t\n")] != 0 || n < min || n > max) {
        return -EINVAL;
    }
    *out = n;
    return 0;
}

static long proc_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    const struct proc_entry *e = procfs_entry(f->inode);
    char text[256];
    size_t n = b->len < sizeof(text) - 1 ? b->len : sizeof(text) - 1;
    if (e->store == NULL) {
        return -EIO;
    }
    size_t all = b->len;
    int err = iobuf_get(b, text, n);
    if (err == 0) {
        text[n] = 0;
        err = e->store(f->inode, text, n);
    }
    return err < 0 ? err : (long)all;
}

int64_t procfs_lseek(struct file *f, int64_t off, int whence)
{
    if (whence == SEEK_CUR) {
        off += f->pos;
    } else if (whence != SEEK_SET) {
        return -EINVAL;
    }
    return off < 0 ? -EINVAL : (f->pos = off);
}

int procfs_open(struct inode *ino, struct file *f)
{
    const struct proc_entry *e = procfs_entry(ino);
    if (S_ISDIR(ino->mode)) {
        return 0;
    }
    if (e->fops != NULL) {
        f->ops = e->fops;
        int err = e->may_open != NULL ? e->may_open(ino) : 0;
        if (err < 0 || e->show == NULL) {
            return err;
        }
    }
    struct proc_text *t = mb_zalloc(sizeof(*t));
    f->priv = t;
    if (t == NULL) {
        return -ENOMEM;
    }
    t->seen = mount_changes;
    return 0;
}

void proc_text_release(struct file *f)
{
    struct proc_text *t = f->priv;
    mb_free(t->text.buf);
    mb_free(t);
}

const struct file_ops procfs_file_ops = {
    .name = "proc",
    .read = proc_text_read,
    .write = proc_write,
    .lseek = procfs_lseek,
    .release = proc_text_release,
};
