/* Descriptor tables: numbers to open file descriptions.
 *
 * The lowest free number is found through a bitmap with a hint below which nothing is free.  Closing
 * takes the file out of the table first: what release does may block or look at the table.
 */
#include "fd/fd_int.h"

#include <nx_base.h>
#include <string.h>

#define FD_MAX (1u << 20)

struct files *files_make(void)
{
    struct files *fs = mb_zalloc(sizeof(*fs));
    if (fs == NULL) {
        return NULL;
    }
    fs->refs = 1;
    fs->cap = FILES_INLINE;
    fs->file = fs->file0;
    fs->open = fs->open0;
    fs->cloexec = fs->cloexec0;
    return fs;
}

struct files *files_ref(struct files *fs)
{
    fs->refs++;
    return fs;
}

/* Room for fd: one block with both bitmaps and the pointers. */
static int files_grow(struct files *fs, unsigned fd)
{
    unsigned cap = fs->cap;
    while (cap <= fd) {
        cap *= 2;
    }
    size_t words = cap / 64;
    uint64_t *block = mb_zalloc(words * 16 + (size_t)cap * sizeof(struct file *));
    if (block == NULL) {
        return -ENOMEM;
    }
    struct file **file = (struct file **)(block + words * 2);
    memcpy(block, fs->open, fs->cap / 8);
    memcpy(block + words, fs->cloexec, fs->cap / 8);
    memcpy(file, fs->file, fs->cap * sizeof(*file));
    if (fs->open != fs->open0) {
        mb_free(fs->open);
    }
    fs->open = block;
    fs->cloexec = block + words;
    fs->file = file;
    fs->cap = cap;
    return 0;
}

/* The highest number in use plus one. */
static unsigned files_end(const struct files *fs)
{
    for (unsigned i = fs->cap / 64; i-- > 0;) {
        if (fs->open[i] != 0) {
            return i * 64 + 64 - nx_clz64(fs->open[i]);
        }
    }
    return 0;
}

struct files *files_copy(const struct files *from)
{
    struct files *fs = files_make();
    if (fs == NULL) {
        return NULL;
    }
    unsigned end = files_end(from);
    if (end > fs->cap && files_grow(fs, end - 1) < 0) {
        mb_free(fs);
        return NULL;
    }
    for (unsigned i = 0; i * 64 < end; i++) {
        uint64_t bits = from->open[i];
        fs->open[i] = bits;
        fs->cloexec[i] = from->cloexec[i];
        while (bits != 0) {
            unsigned fd = i * 64 + nx_ctz64(bits);
            fs->file[fd] = file_ref(from->file[fd]);
            bits &= bits - 1;
        }
    }
    fs->low = from->low;
    return fs;
}

static struct file *files_take(struct files *fs, unsigned fd)
{
    struct file *f = fs->file[fd];
    if (f != NULL) {
        fs->file[fd] = NULL;
        fs->open[fd / 64] &= ~(1ul << fd % 64);
        fs->cloexec[fd / 64] &= ~(1ul << fd % 64);
        if (fd < fs->low) {
            fs->low = fd;
        }
    }
    return f;
}

static void file_close(struct file *f, struct files *owner)
{
    if (f->inode->locks != NULL) {
        locks_forget(f, owner);
    }
    if (f->ops->flush != NULL) {
        f->ops->flush(f);
    }
    file_unref(f);
}

void files_unref(struct files *fs)
{
    if (--fs->refs > 0) {
        return;
    }
    for (unsigned i = 0; i < fs->cap / 64; i++) {
        while (fs->open[i] != 0) {
            unsigned fd = i * 64 + nx_ctz64(fs->open[i]);
            file_close(files_take(fs, fd), fs);
        }
    }
    if (fs->open != fs->open0) {
        mb_free(fs->open);
    }
    mb_free(fs);
}

void files_close_exec(struct files *fs)
{
    for (unsigned i = 0; i < fs->cap / 64; i++) {
        while (fs->cloexec[i] != 0) {
            unsigned fd = i * 64 + nx_ctz64(fs->cloexec[i]);
            struct file *f = files_take(fs, fd);
            if (f == NULL) {
                fs->cloexec[i] &= ~(1ul << fd % 64);
                continue;
            }
            file_close(f, fs);
        }
    }
}

int files_next(struct files *fs, int from, struct file **f)
{
    unsigned fd = from < 0 ? 0 : (unsigned)from;
    while (fd < fs->cap) {
        uint64_t bits = fs->open[fd / 64] >> fd % 64;
        if (bits != 0) {
            fd += nx_ctz64(bits);
            if (f != NULL) {
                *f = fs->file[fd];
            }
            return (int)fd;
        }
        fd = (fd / 64 + 1) * 64;
    }
    return -1;
}

struct file *fd_get(int fd)
{
    struct file *f = fd_peek(fd);
    if (f == NULL || (f->flags & O_PATH) != 0) {
        return NULL;
    }
    return file_ref(f);
}

struct file *files_get(struct files *fs, int fd)
{
    struct file *f = (unsigned)fd < fs->cap ? fs->file[fd] : NULL;
    return f != NULL ? file_ref(f) : NULL;
}

struct file *fd_get_path(int fd)
{
    struct file *f = fd_peek(fd);
    return f != NULL ? file_ref(f) : NULL;
}

static unsigned fd_limit(void)
{
    uint64_t n = current->proc->rlimit[ABI_RLIMIT_NOFILE][0];
    return n < FD_MAX ? (unsigned)n : FD_MAX;
}

static void files_put(struct files *fs, unsigned fd, struct file *f, bool cloexec)
{
    fs->file[fd] = f;
    fs->open[fd / 64] |= 1ul << fd % 64;
    if (cloexec) {
        fs->cloexec[fd / 64] |= 1ul << fd % 64;
    }
}

/* The lowest free number >= min; it may be cap. */
static unsigned files_lowest(const struct files *fs, unsigned min)
{
    unsigned fd = min > fs->low ? min : fs->low;
    while (fd < fs->cap) {
        uint64_t free = ~fs->open[fd / 64] >> fd % 64;
        if (free != 0) {
            return fd + nx_ctz64(free);
        }
        fd = (fd / 64 + 1) * 64;
    }
    return fd;
}

int fd_room(void)
{
    struct files *fs = current->files;
    unsigned fd = files_lowest(fs, 0);
    if (fd >= fd_limit()) {
        return -EMFILE;
    }
    return fd < fs->cap ? 0 : files_grow(fs, fd);
}

int fd_install(struct file *f, int min, bool cloexec)
{
    struct files *fs = current->files;
    unsigned fd = files_lowest(fs, (unsigned)min);
    int err = 0;
    if (fd >= fd_limit()) {
        err = -EMFILE;
    } else if (fd >= fs->cap) {
        err = files_grow(fs, fd);
    }
    if (err < 0) {
        file_unref(f);
        return err;
    }
    if ((unsigned)min <= fs->low) {
        fs->low = fd + 1;
    }
    files_put(fs, fd, f, cloexec);
    return (int)fd;
}

int fd_put_at(struct file *f, int fd, bool cloexec)
{
    struct files *fs = current->files;
    int err = 0;
    if ((unsigned)fd >= fd_limit()) {
        err = -EBADF;
    } else if ((unsigned)fd >= fs->cap) {
        err = files_grow(fs, (unsigned)fd);
    }
    if (err < 0) {
        file_unref(f);
        return err;
    }
    struct file *old = files_take(fs, (unsigned)fd);
    files_put(fs, (unsigned)fd, f, cloexec);
    if (old != NULL) {
        file_close(old, fs);
    }
    return fd;
}

int fd_close(int fd)
{
    struct files *fs = current->files;
    struct file *f = (unsigned)fd < fs->cap ? files_take(fs, (unsigned)fd) : NULL;
    if (f == NULL) {
        return -EBADF;
    }
    file_close(f, fs);
    return 0;
}

bool fd_cloexec(int fd)
{
    const struct files *fs = current->files;
    return (unsigned)fd < fs->cap && (fs->cloexec[fd / 64] >> fd % 64 & 1) != 0;
}

void fd_set_cloexec(int fd, bool on)
{
    uint64_t *word = &current->files->cloexec[fd / 64];
    *word = on ? *word | 1ul << fd % 64 : *word & ~(1ul << fd % 64);
}

long sys_close(const uint64_t a[6])
{
    return fd_close((int)a[0]);
}

long sys_close_range(const uint64_t a[6])
{
    uint64_t first = (uint32_t)a[0], last = (uint32_t)a[1];
    unsigned flags = (unsigned)a[2];
    if (first > last || (flags & ~6u) != 0) {
        return -EINVAL;
    }
    struct files *fs = current->files;
    if ((flags & 2) != 0 && fs->refs > 1) { /* CLOSE_RANGE_UNSHARE */
        struct files *own = files_copy(fs);
        if (own == NULL) {
            return -ENOMEM;
        }
        current->files = own;
        files_unref(fs);
        fs = own;
    }
    for (int fd = (int)first; first < fs->cap; fd++) {
        fd = files_next(fs, fd, NULL);
        if (fd < 0 || (uint64_t)fd > last) {
            break;
        }
        if ((flags & 4) != 0) { /* CLOSE_RANGE_CLOEXEC */
            fd_set_cloexec(fd, true);
        } else {
            fd_close(fd);
        }
    }
    return 0;
}

long sys_dup(const uint64_t a[6])
{
    struct file *f = fd_get_path((int)a[0]);
    return f != NULL ? fd_install(f, 0, false) : -EBADF;
}

long sys_dup3(const uint64_t a[6])
{
    int from = (int)a[0], to = (int)a[1];
    if ((a[2] & ~(uint64_t)O_CLOEXEC) != 0 || from == to) {
        return -EINVAL;
    }
    if ((unsigned)to >= fd_limit()) {
        return -EBADF;
    }
    struct file *f = fd_get_path(from);
    return f != NULL ? fd_put_at(f, to, a[2] != 0) : -EBADF;
}
