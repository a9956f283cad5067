/* The data of tmpfs files: read, write, truncate, holes, pages for mmap, pages borrowed from an archive.
 *
 * A borrowed page is read and mapped where it lies.  Whoever is going to change it, or lets a program map
 * it so that it can, makes it the file's own first (page_get): a copy, and shared mappings of the page
 * are taken out of the programs.  The page with the end of the file, or behind it, is never borrowed.
 *
 * Data moves between a file's pages and program memory with one copy.  Touching program memory can
 * fault and come back here through mmap (the program's buffer may be this very file): so nothing is
 * held across a copy but a page that nobody frees, since only truncate does and that is another call.
 * Bytes of the last page behind the end are anything; whoever moves the end up clears them first.
 */
#include "fs/inode.h"
#include "fs/seal.h"

#include <string.h>

long write_limit(int64_t off, size_t n)
{
    const struct mb_fiber *f = mb_self();
    const struct task *t = f != NULL ? f->task : NULL;
    uint64_t limit = INT64_MAX;
    if (t != NULL && t->proc->rlimit[ABI_RLIMIT_FSIZE][0] < limit) {
        limit = t->proc->rlimit[ABI_RLIMIT_FSIZE][0];
        if ((uint64_t)off >= limit) {
            signal_self(ABI_SIGXFSZ);
            return -EFBIG;
        }
    }
    if ((uint64_t)off >= limit) {
        return -EFBIG;
    }
    return (long)(n <= limit - (uint64_t)off ? n : limit - (uint64_t)off);
}

uint64_t tmpfs_pages, tmpfs_pages_max;

void tmpfs_pages_free(struct inode *ino, uint64_t first, uint64_t last)
{
    uint64_t n = pagetree_free(&ino->pages, first, last);
    ino->sb->pages -= n;
    tmpfs_pages -= n;
}

/* A hole is filled, a borrowed page copied. */
static __attribute__((noinline)) void *page_own(struct inode *ino, uint64_t index,
                                                const void *borrowed, int *err)
{
    void *page;
    struct sb *sb = ino->sb;
    *err = -ENOSPC;
    if (sb->pages_max != 0 && sb->pages >= sb->pages_max) {
        return NULL;
    }
    if (tmpfs_pages >= tmpfs_pages_max) {
        return NULL;
    }
    *err = -ENOMEM;
    page = mb_page();
    if (page == NULL) {
        return NULL;
    }
    if (borrowed != NULL) {
        memcpy(page, borrowed, MB_PAGE);
        if (vfs_truncate_hook != NULL) {
            vfs_truncate_hook(ino, index * MB_PAGE, (index + 1) * MB_PAGE);
        }
        pagetree_replace(&ino->pages, index, page);
    } else if (pagetree_insert(&ino->pages, index, page) < 0) {
        mb_page_free(page);
        return NULL;
    }
    sb->pages++;
    tmpfs_pages++;
    return page;
}

/* The page with that number, to be changed; a hole is filled.  NULL: -ENOSPC at a limit, -ENOMEM. */
static void *page_get(struct inode *ino, uint64_t index, int *err)
{
    void *slot = pagetree_slot(&ino->pages, index);
    if (slot != NULL && !pagetree_is_borrowed(slot)) {
        return slot;
    }
    return page_own(ino, index, pagetree_find(&ino->pages, index), err);
}

/* Clear bytes from..to (not all) of a page, if there is one: 0, or -ENOSPC, -ENOMEM and nothing is changed. */
static int clear(struct inode *ino, uint64_t index, size_t from, size_t to)
{
    if (from == to || pagetree_slot(&ino->pages, index) == NULL) {
        return 0;
    }
    int err;
    char *page = page_get(ino, index, &err);
    if (page == NULL) {
        return err;
    }
    memset(page + from, 0, to - from);
    return 0;
}

/* Clear what is behind `from` in its page.  It cannot fail where the file ends: that page is its own. */
static int clear_tail(struct inode *ino, int64_t from)
{
    size_t in = (uint64_t)from % MB_PAGE;
    return in != 0 ? clear(ino, (uint64_t)from / MB_PAGE, in, MB_PAGE) : 0;
}

long tmpfs_borrow(struct inode *ino, const void *data, size_t n, int64_t *pos)
{
    const char *p = data;
    if (((uint64_t)*pos | (uintptr_t)data) % MB_PAGE != 0) {
        return 0;
    }
    while (n >= MB_PAGE && pagetree_slot(&ino->pages, (uint64_t)*pos / MB_PAGE) == NULL) {
        int err = pagetree_borrow(&ino->pages, (uint64_t)*pos / MB_PAGE, p);
        if (err < 0) {
            return err;
        }
        *pos += MB_PAGE;
        if (*pos > ino->size) {
            clear_tail(ino, ino->size);
            ino->size = *pos;
        }
        p += MB_PAGE;
        n -= MB_PAGE;
    }
    return p - (const char *)data;
}

static long tmpfs_read(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct inode *ino = f->inode;
    int64_t off = *pos;
    if (off >= ino->size) {
        if (b->len > 0) {
            inode_accessed(ino, f); /* that there is nothing more was read, too */
        }
        return 0;
    }
    size_t want = b->len;
    if (want > (uint64_t)(ino->size - off)) {
        want = (size_t)(ino->size - off);
    }
    size_t left = want;
    int err = 0;
    while (left > 0 && err == 0) {
        size_t in = (uint64_t)off % MB_PAGE;
        size_t n = MB_PAGE - in < left ? MB_PAGE - in : left;
        size_t before = b->len;
        const char *page = pagetree_find(&ino->pages, (uint64_t)off / MB_PAGE);
        err = page != NULL ? iobuf_put(b, page + in, n) : iobuf_zero(b, n);
        n = before - b->len; /* less than wanted when it faulted */
        off += (int64_t)n;
        left -= n;
    }
    *pos = off;
    inode_accessed(ino, f);
    return left < want ? (long)(want - left) : err;
}

static long tmpfs_write(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct inode *ino = f->inode;
    int64_t off = (f->flags & O_APPEND) != 0 ? ino->size : *pos;
    if (b->len == 0) {
        return 0;
    }
    long want = write_limit(off, b->len);
    if (want < 0) {
        return want;
    }
    if (__builtin_expect(ino->seals > F_SEAL_SEAL, 0)) {
        want = seal_write(ino, off, want);
        if (want < 0) {
            return want;
        }
    }
    size_t left = (size_t)want;
    int err = 0;
    if (off > ino->size) {
        clear_tail(ino, ino->size);
    }
    while (left > 0 && err == 0) {
        size_t in = (uint64_t)off % MB_PAGE;
        size_t n = MB_PAGE - in < left ? MB_PAGE - in : left;
        char *page = page_get(ino, (uint64_t)off / MB_PAGE, &err);
        if (page == NULL) {
            break;
        }
        size_t before = b->len;
        err = iobuf_get(b, page + in, n);
        size_t done = before - b->len;
        if (err < 0 && off + (int64_t)done >= ino->size) {
            memset(page + in + done, 0, n - done); /* part of a copy must not show up later */
        }
        n = done;
        off += (int64_t)n;
        left -= n;
        if (n > 0 && off > ino->size) {
            ino->size = off;
        }
    }
    if (left == (size_t)want) {
        return err;
    }
    *pos = off;
    inode_touch(ino);
    if (inode_privileged(ino)) {
        inode_drop_setid(ino);
    }
    return (long)((size_t)want - left);
}

int tmpfs_truncate(struct inode *ino, int64_t len)
{
    if ((len < ino->size && (ino->seals & F_SEAL_SHRINK) != 0) ||
        (len > ino->size && (ino->seals & F_SEAL_GROW) != 0)) {
        return -EPERM;
    }
    if (len < ino->size) {
        uint64_t first = ((uint64_t)len + MB_PAGE - 1) / MB_PAGE;
        int err = clear_tail(ino, len); /* first, as this one page may have to be copied */
        if (err < 0) {
            return err;
        }
        if (vfs_truncate_hook != NULL && ino->pages.count > 0) {
            vfs_truncate_hook(ino, first * MB_PAGE, ~0ul);
        }
        tmpfs_pages_free(ino, first, ~0ul);
    } else if (len > ino->size) {
        clear_tail(ino, ino->size);
    } else {
        return 0;
    }
    ino->size = len;
    inode_touch(ino);
    return 0;
}

static int punch(struct inode *ino, int64_t off, int64_t end)
{
    uint64_t first = ((uint64_t)off + MB_PAGE - 1) / MB_PAGE, last = (uint64_t)end / MB_PAGE;
    if (first > last) { /* inside one page */
        return clear(ino, last, (uint64_t)off % MB_PAGE, (uint64_t)end % MB_PAGE);
    }
    int err = clear_tail(ino, off);
    err = err < 0 ? err : clear(ino, last, 0, (uint64_t)end % MB_PAGE);
    if (err < 0) {
        return err;
    }
    if (last > first) {
        if (vfs_truncate_hook != NULL) {
            vfs_truncate_hook(ino, first * MB_PAGE, last * MB_PAGE);
        }
        tmpfs_pages_free(ino, first, last - 1);
    }
    return 0;
}

int tmpfs_fallocate(struct inode *ino, unsigned mode, int64_t off, int64_t len)
{
    int64_t end = off + len;     /* checked by the caller */
    if (mode == (0x02 | 0x01)) { /* FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE */
        if ((ino->seals & SEALS_WRITE) != 0) {
            return -EPERM;
        }
        int err = punch(ino, off, end);
        inode_touch(ino);
        return err;
    }
    if ((mode & ~0x01u) != 0) {
        return -EOPNOTSUPP;
    }
    if (end > ino->size && (ino->seals & F_SEAL_GROW) != 0) {
        return -EPERM;
    }
    if (end > ino->size && mode == 0) {
        long n = write_limit(ino->size, (size_t)(end - ino->size));
        if (n < 0 || n != end - ino->size) {
            return -EFBIG;
        }
    }
    uint64_t first = (uint64_t)off / MB_PAGE, last = (uint64_t)(end - 1) / MB_PAGE;
    struct sb *sb = ino->sb;
    if (sb->pages_max != 0 && last - first >= sb->pages_max) {
        return -ENOSPC;
    }
    for (uint64_t i = first; i <= last; i++) {
        bool hole = pagetree_slot(&ino->pages, i) == NULL;
        int err;
        if (hole && page_get(ino, i, &err) == NULL) {
            /* Linux gives back what this call took: all pages behind the end are its own. */
            uint64_t keep = ((uint64_t)ino->size + MB_PAGE - 1) / MB_PAGE;
            tmpfs_pages_free(ino, keep > first ? keep : first, ~0ul);
            return err;
        }
    }
    if (end > ino->size && mode == 0) {
        clear_tail(ino, ino->size);
        ino->size = end;
    }
    inode_touch(ino);
    return 0;
}

static int64_t seek_hole(struct inode *ino, int64_t off, bool data)
{
    if (off < 0 || off >= ino->size) {
        return -ENXIO;
    }
    uint64_t index, last = (uint64_t)(ino->size - 1) / MB_PAGE;
    if (!pagetree_next(&ino->pages, (uint64_t)off / MB_PAGE, last, data, &index)) {
        return data ? -ENXIO : ino->size;
    }
    int64_t at = (int64_t)(index * MB_PAGE);
    at = at > off ? at : off;
    return at < ino->size ? at : ino->size;
}

static int64_t tmpfs_lseek(struct file *f, int64_t off, int whence)
{
    struct inode *ino = f->inode;
    int64_t base = 0;
    switch (whence) {
    case SEEK_SET:
        break;
    case SEEK_CUR:
        base = f->pos;
        break;
    case SEEK_END:
        base = ino->size;
        break;
    case SEEK_DATA:
    case SEEK_HOLE:
        off = seek_hole(ino, off, whence == SEEK_DATA);
        if (off < 0) {
            return off;
        }
        break;
    default:
        return -EINVAL;
    }
    if (__builtin_add_overflow(base, off, &off) || off < 0) {
        return -EINVAL;
    }
    return f->pos = off;
}

static int file_truncate(struct file *f, int64_t len)
{
    return tmpfs_truncate(f->inode, len);
}

static void *tmpfs_page(struct file *f, uint64_t off, enum page_use use, int *err)
{
    struct inode *ino = f->inode;
    if (off >= (((uint64_t)ino->size + MB_PAGE - 1) & ~(MB_PAGE - 1))) {
        *err = -EFAULT;
        return NULL;
    }
    const void *there = use == PAGE_READ ? pagetree_find(&ino->pages, off / MB_PAGE) : NULL;
    void *page = there != NULL ? (void *)there : page_get(ino, off / MB_PAGE, err);
    if (page != NULL && use == PAGE_WRITE) {
        inode_touch(ino);
    }
    return page;
}

static int tmpfs_mmap_ok(struct file *f, unsigned prot, bool shared)
{
    return __builtin_expect(f->inode->seals > F_SEAL_SEAL, 0) && shared ? seal_mmap(f->inode, prot)
                                                                        : 0;
}

const struct file_ops tmpfs_file_ops = {
    .name = "tmpfs",
    .read = tmpfs_read,
    .write = tmpfs_write,
    .lseek = tmpfs_lseek,
    .truncate = file_truncate,
    .page = tmpfs_page,
    .mmap_ok = tmpfs_mmap_ok,
    .fsync = file_fsync_nothing,
};
