/* See sysfs.h.  Files are seq-like: the text is made at the first read and at every read from the start. */
#include "fs/sysfs.h"

#include <stdio.h>
#include <string.h>

static struct sb *sys_sb;

/* ---- files ---- */

static int sys_open(struct inode *ino, struct file *f)
{
    if ((f->flags & O_ACCMODE) != O_RDONLY) {
        return -EACCES; /* nothing here is to be set */
    }
    f->priv = mb_zalloc(sizeof(struct text));
    return f->priv != NULL ? 0 : -ENOMEM;
}

static long sys_read_file(struct file *f, struct iobuf *b, int64_t *pos)
{
    struct text *t = f->priv;
    if (*pos == 0 || t->buf == NULL) {
        const struct sysfs_file *file = f->inode->entry;
        t->len = 0;
        t->failed = false;
        file->show(t, f->inode->sys_arg);
        if (t->failed) {
            return -ENOMEM;
        }
    }
    if ((uint64_t)*pos >= t->len) {
        return 0;
    }
    size_t n = t->len - (size_t)*pos, before = b->len;
    n = n < b->len ? n : b->len;
    int err = iobuf_put(b, t->buf + *pos, n);
    n = before - b->len;
    *pos += (int64_t)n;
    return n > 0 ? (long)n : err;
}

static int64_t sys_seek(struct file *f, int64_t off, int whence)
{
    if (whence == SEEK_CUR) {
        off += f->pos;
    } else if (whence == SEEK_END) {
        off += f->inode->size;
    } else if (whence != SEEK_SET) {
        return -EINVAL;
    }
    return off < 0 ? -EINVAL : (f->pos = off);
}

static void sys_release(struct file *f)
{
    struct text *t = f->priv;
    mb_free(t->buf);
    mb_free(t);
}

static const struct file_ops file_ops = {.name = "sysfs",
                                         .read = sys_read_file,
                                         .lseek = sys_seek,
                                         .release = sys_release,
                                         .fsync = file_fsync_nothing};
/* Root may let others read less, and more. */
static int sys_may_set(const struct inode *ino, unsigned what)
{
    return 0;
}

static const struct inode_ops file_iops = {.open = sys_open, .may_set = sys_may_set};
static const struct inode_ops dir_iops = {.may_set = sys_may_set};

static void link_evict(struct inode *ino)
{
    mb_free(ino->link);
}

static const struct inode_ops link_iops = {.evict = link_evict, .may_set = sys_may_set};
static const struct file_ops no_ops = {.name = "link"};

/* ---- the tree ---- */

static struct dentry *child(struct dentry *dir, const char *name, unsigned len)
{
    return dentry_find(dir, name, len, dentry_hash(name, len));
}

/* Enter it; takes over ino, whatever happens. */
static struct dentry *enter(struct dentry *dir, const char *name, unsigned len, struct inode *ino)
{
    if (ino == NULL) {
        return NULL;
    }
    struct dentry *d = dentry_make(dir, name, len, dentry_hash(name, len), ino);
    if (d == NULL) {
        inode_unref(ino);
        return NULL;
    }
    dentry_attach(d);
    dentry_unref(d);
    if (S_ISDIR(ino->mode)) {
        dir->inode->nlink++;
    }
    return d;
}

/* The folder of the first n characters of path. */
static struct dentry *folder(const char *path, size_t n)
{
    struct dentry *dir = sys_sb->root;
    for (size_t at = 0; at < n && dir != NULL;) {
        unsigned len = 0;
        while (at + len < n && path[at + len] != '/') {
            len++;
        }
        struct dentry *d = child(dir, path + at, len);
        if (d == NULL) {
            d = enter(dir, path + at, len,
                      inode_make(sys_sb, &dir_iops, &dir_file_ops, S_IFDIR | 0755));
        }
        dir = d != NULL && S_ISDIR(d->inode->mode) ? d : NULL;
        at += len + 1;
    }
    return dir;
}

struct dentry *sysfs_folder(const char *path)
{
    return folder(path, strlen(path));
}

int sysfs_files(struct dentry *dir, const struct sysfs_file *files, void *arg)
{
    if (dir == NULL) {
        return -ENOMEM;
    }
    for (; files->name != NULL; files++) {
        struct inode *ino = inode_make(sys_sb, &file_iops, &file_ops, S_IFREG | 0444);
        if (ino != NULL) {
            ino->entry = files;
            ino->sys_arg = arg;
            ino->size = MB_PAGE;
        }
        if (enter(dir, files->name, (unsigned)strlen(files->name), ino) == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

int sysfs_link(const char *path, const char *target)
{
    const char *name = last_part(path);
    struct dentry *dir = folder(path, (size_t)(name - path));
    size_t len = strlen(target) + 1;
    char *text = mb_alloc(len);
    struct inode *ino = NULL;
    if (dir != NULL && text != NULL) {
        ino = inode_make(sys_sb, &link_iops, &no_ops, S_IFLNK | 0777);
    }
    if (ino == NULL) {
        mb_free(text);
        return -ENOMEM;
    }
    memcpy(text, target, len);
    ino->link = text;
    ino->size = (int64_t)len - 1;
    return enter(dir, name, (unsigned)strlen(name), ino) != NULL ? 0 : -ENOMEM;
}

void sysfs_remove(const char *path)
{
    const char *name = last_part(path);
    struct dentry *dir = folder(path, (size_t)(name - path));
    struct dentry *d = dir != NULL ? child(dir, name, (unsigned)strlen(name)) : NULL;
    if (d == NULL) {
        return;
    }
    if (S_ISDIR(d->inode->mode)) {
        dir->inode->nlink--;
    }
    dentry_ref(d);
    dentry_detach(d);
    dentry_free_tree(d); /* and that reference */
}

/* ---- set-up ---- */

static int sys_mount_(const struct fs_type *type, const char *options, struct sb **out)
{
    sys_sb->refs++;
    *out = sys_sb;
    return 0;
}

const struct fs_type sysfs_type = {
    .name = "sysfs", .nodev = true, .magic = 0x62656572, .mount = sys_mount_};

int sysfs_init(void)
{
    sys_sb = sb_make(&sysfs_type);
    struct inode *ino =
        sys_sb != NULL ? inode_make(sys_sb, &dir_iops, &dir_file_ops, S_IFDIR | 0755) : NULL;
    if (ino == NULL) {
        return -ENOMEM;
    }
    sys_sb->root = dentry_make(NULL, "/", 1, 0, ino);
    return sys_sb->root != NULL ? sysfs_system_init() : -ENOMEM;
}
