/* See target.h. */
#include "path/target.h"

#include "fs/notify.h"

int target_get_fd(int fd, bool path_too, struct target *t)
{
    struct file *f = path_too ? fd_get_path(fd) : fd_get(fd);
    if (f == NULL) {
        return -EBADF;
    }
    *t = (struct target){.ino = f->inode, .mnt = f->mnt, .file = f};
    return 0;
}

int target_get(int dirfd, uint64_t uname, unsigned flags, struct target *t)
{
    char *name;
    int err = name_get(uname, &name);
    if (err < 0) {
        return err;
    }
    bool empty = name[0] == 0 && (flags & AT_EMPTY_PATH) != 0;
    if (empty && dirfd != AT_FDCWD) {
        name_put(name);
        err = target_get_fd(dirfd, true, t);
        t->empty = true;
        return err;
    }
    unsigned lookup =
        ((flags & AT_SYMLINK_NOFOLLOW) == 0 ? LOOKUP_FOLLOW : 0) | (empty ? LOOKUP_EMPTY : 0);
    err = path_lookup(dirfd, name, lookup, &t->path);
    name_put(name);
    if (err < 0) {
        return err;
    }
    t->ino = t->path.dentry->inode;
    t->mnt = t->path.mnt;
    t->file = NULL;
    t->empty = empty;
    return 0;
}

void target_put(struct target *t)
{
    if (t->file != NULL) {
        file_unref(t->file);
    } else {
        path_unref(t->path);
    }
}

void target_tell(const struct target *t, uint32_t mask)
{
    const struct dentry *d = t->file != NULL ? t->file->dentry : t->path.dentry;
    if (d != NULL) {
        notify_dentry(d, mask);
    }
}
