/* procfs: /proc/<pid>/mem, the memory of a process at its own addresses, as debuggers see it. */
#include "fs/procfs.h"
#include "include/mm.h"

static long mem_transfer(struct file *f, struct iobuf *b, int64_t *pos, bool write)
{
    size_t done = 0;
    char *page = mb_alloc(MB_PAGE);
    if (page == NULL) {
        return -ENOMEM;
    }
    long err = 0;
    while (b->len > 0) {
        const struct task *t = procfs_task(f->inode);
        err = t == NULL || t->mm == NULL ? 0 : !task_may_look(t, true) ? -EACCES : 1;
        if (err <= 0) {
            break;
        }
        size_t n = MB_PAGE - (uint64_t)*pos % MB_PAGE, got;
        n = n < b->len ? n : b->len;
        if (write) {
            err = iobuf_get(b, page, n);
            got = err == 0 ? mm_remote_write(t->mm, (uint64_t)*pos, page, n, true) : 0;
        } else {
            got = mm_remote_read(t->mm, (uint64_t)*pos, page, n, true);
            err = got > 0 ? iobuf_put(b, page, got) : 0;
        }
        if (err < 0) {
            break;
        }
        done += got;
        *pos += (int64_t)got;
        err = got < n ? -EIO : 0;
        if (err < 0) {
            break;
        }
    }
    mb_free(page);
    return done > 0 ? (long)done : err;
}

static long mem_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    return mem_transfer(f, b, pos, false);
}

static long mem_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    return mem_transfer(f, b, pos, true);
}

static int64_t mem_lseek(struct file *f, int64_t off, int whence)
{
    if (whence != SEEK_SET && whence != SEEK_CUR) {
        return -EINVAL;
    }
    return f->pos = whence == SEEK_CUR ? f->pos + off : off; /* addresses may look negative */
}

int proc_mem_open(struct inode *ino)
{
    const struct task *t = procfs_task(ino);
    return t == NULL ? -ESRCH : !task_may_look(t, true) ? -EACCES : 0;
}

const struct file_ops proc_mem_ops = {
    .name = "mem", .read = mem_read, .write = mem_write, .lseek = mem_lseek};
