/* Adding and removing names: make, link, unlink, rmdir, with the permission rules of each.
 *
 * The order of the checks is Linux's, since programs see it in the error: existence first, then
 * read-only mounts, then permission.
 * Not here: rename (rename.c), open with O_CREAT (fd/open.c, through path_make).
 */
#include "include/sys.h"
#include "fs/notify.h"
#include "path/path.h"

#include <string.h>

int path_may_change(const struct path *dir)
{
    struct inode *ino = dir->dentry->inode;
    if (mount_rdonly(dir->mnt)) {
        return -EROFS;
    }
    int err = inode_permission(ino, MAY_WRITE | MAY_EXEC);
    if (err < 0) {
        return err;
    }
    return ino->nlink == 0 ? -ENOENT : 0; /* removed while somebody was in it */
}

int path_may_delete(const struct path *dir, const struct dentry *victim, bool directory)
{
    struct inode *ino = victim->inode, *parent = dir->dentry->inode;
    int err = path_may_change(dir);
    if (err < 0) {
        return err;
    }
    if (!parent->ops->writable) {
        return -EPERM;
    }
    uint32_t uid = cred_now()->fsuid;
    if ((parent->mode & S_ISVTX) != 0 && uid != ino->uid && uid != parent->uid &&
        !capable(CAP_FOWNER)) {
        return -EPERM;
    }
    if (directory && !S_ISDIR(ino->mode)) {
        return -ENOTDIR;
    }
    if (!directory && S_ISDIR(ino->mode)) {
        return -EISDIR;
    }
    return victim->mounts > 0 || victim->parent == victim ? -EBUSY : 0;
}

/* What is asked for decides, before the umask takes away of it: a program that would run as the directory's group may
 * not be made by who is not of it. */
uint32_t path_new_mode(const struct inode *dir, uint32_t mode)
{
    const struct cred *c = cred_now();
    if (S_ISLNK(mode)) {
        return mode;
    }
    if (!S_ISDIR(mode) && (dir->mode & S_ISGID) != 0 &&
        (mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && !cred_in_group(c, dir->gid) &&
        !cred_has(c, CAP_FSETID)) {
        mode &= ~(uint32_t)S_ISGID;
    }
    return mode & ~fsctx_now()->umask;
}

/* Whose a new file is, by the rules of set-group-id directories. */
static void inherit(struct inode *ino, const struct inode *dir)
{
    const struct cred *c = cred_now();
    ino->uid = c->fsuid;
    ino->gid = c->fsgid;
    if ((dir->mode & S_ISGID) == 0) {
        return;
    }
    ino->gid = dir->gid;
    if (S_ISDIR(ino->mode)) {
        ino->mode |= S_ISGID;
    }
}

int path_make(const struct path *parent, const struct last *last, const struct spec *spec,
              struct path *out)
{
    struct dentry *dir = parent->dentry;
    struct path there;
    if (last->dots) {
        return -EEXIST;
    }
    int err = path_child(parent, last, &there);
    if (err == 0) {
        path_unref(there);
        return -EEXIST;
    }
    if (err != -ENOENT) {
        return err;
    }
    if (last->slash && !S_ISDIR(spec->mode)) {
        return -ENOENT;
    }
    err = path_may_change(parent);
    if (err < 0) {
        return err;
    }
    if (!dir->inode->ops->writable) {
        /* Linux's words for it: procfs', where looking is all, and those of sysfs. */
        return dir->inode->ops->lookup != NULL ? -ENOENT : S_ISREG(spec->mode) ? -EACCES : -EPERM;
    }
    uint32_t mode = path_new_mode(dir->inode, spec->mode);
    struct inode *ino;
    err = parent->mnt->sb->type->make(parent->mnt->sb, mode, spec->rdev, spec->target, &ino);
    if (err < 0) {
        return err;
    }
    inherit(ino, dir->inode);
    struct dentry *d = dentry_make(dir, last->name, last->len, last->hash, ino);
    if (d == NULL) {
        inode_unref(ino);
        return -ENOMEM;
    }
    dentry_attach(d);
    if (S_ISDIR(mode)) {
        dir->inode->nlink++;
    }
    inode_touch(dir->inode);
    notify_name(dir->inode, IN_CREATE | (S_ISDIR(mode) ? IN_ISDIR : 0), last->name, last->len);
    if (out != NULL) {
        *out = (struct path){.mnt = mount_ref(parent->mnt), .dentry = d};
    } else {
        dentry_unref(d);
    }
    return 0;
}

static int make_at(int dirfd, uint64_t uname, const struct spec *spec)
{
    char *name;
    struct path parent;
    struct last last;
    int err = name_get(uname, &name);
    if (err < 0) {
        return err;
    }
    err = path_parent(dirfd, name, &parent, &last);
    if (err == 0) {
        err = path_make(&parent, &last, spec, NULL);
        path_unref(parent);
    }
    name_put(name);
    return err;
}

int vfs_make(const char *name, uint32_t mode, uint64_t rdev, const char *target, struct path *out)
{
    struct path parent;
    struct last last;
    struct spec spec = {.mode = mode, .rdev = rdev, .target = target};
    int err = path_parent(AT_FDCWD, name, &parent, &last);
    if (err < 0) {
        return err;
    }
    uint32_t umask = fsctx_now()->umask;
    fsctx_now()->umask = 0;
    err = path_make(&parent, &last, &spec, out);
    fsctx_now()->umask = umask;
    path_unref(parent);
    return err;
}

long sys_mkdirat(const uint64_t a[6])
{
    struct spec spec = {.mode = S_IFDIR | (a[2] & 01777)};
    return make_at((int)a[0], a[1], &spec);
}

long sys_mknodat(const uint64_t a[6])
{
    uint32_t mode = (uint32_t)a[2];
    struct spec spec = {.mode = (mode & S_IFMT) | (mode & 07777), .rdev = (uint32_t)a[3]};
    switch (mode & S_IFMT) {
    case 0:
        spec.mode |= S_IFREG;
        break;
    case S_IFREG:
    case S_IFIFO:
    case S_IFSOCK:
        break;
    case S_IFCHR:
    case S_IFBLK:
        if (!capable(CAP_MKNOD)) {
            return -EPERM;
        }
        break;
    case S_IFDIR:
        return -EPERM;
    default:
        return -EINVAL;
    }
    return make_at((int)a[0], a[1], &spec);
}

long sys_symlinkat(const uint64_t a[6])
{
    char *target;
    int err = name_get(a[0], &target);
    if (err < 0) {
        return err;
    }
    struct spec spec = {.mode = S_IFLNK | 0777, .target = target};
    err = target[0] == 0 ? -ENOENT : make_at((int)a[1], a[2], &spec);
    name_put(target);
    return err;
}

static int link_make(const struct path *from, const struct path *parent, const struct last *last)
{
    struct inode *ino = from->dentry->inode;
    struct path there;
    if (last->dots) {
        return -EEXIST;
    }
    int err = path_child(parent, last, &there);
    if (err == 0) {
        path_unref(there);
        return -EEXIST;
    }
    if (err != -ENOENT || last->slash) {
        return -ENOENT;
    }
    if (from->mnt != parent->mnt) {
        return -EXDEV;
    }
    err = protect_link(ino);
    err = err < 0 ? err : path_may_change(parent);
    if (err < 0) {
        return err;
    }
    if (!parent->dentry->inode->ops->writable || S_ISDIR(ino->mode)) {
        return -EPERM;
    }
    if (ino->nlink == 0 && !ino->linkable) {
        return -ENOENT;
    }
    if (ino->nlink == UINT32_MAX) {
        return -EMLINK;
    }
    struct dentry *d =
        dentry_make(parent->dentry, last->name, last->len, last->hash, inode_ref(ino));
    if (d == NULL) {
        inode_unref(ino);
        return -ENOMEM;
    }
    dentry_attach(d);
    dentry_unref(d);
    ino->nlink++;
    ino->linkable = false;
    ino->ctime = time_realtime_ns();
    inode_touch(parent->dentry->inode);
    notify_inode(ino, IN_ATTRIB);
    notify_name(parent->dentry->inode, IN_CREATE, last->name, last->len);
    return 0;
}

long sys_linkat(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[4];
    struct path from, parent;
    struct last last;
    char *name;
    if ((flags & ~(unsigned)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) != 0) {
        return -EINVAL;
    }
    unsigned lookup = (flags & AT_SYMLINK_FOLLOW) != 0 ? LOOKUP_FOLLOW : 0;
    if ((flags & AT_EMPTY_PATH) != 0) {
        if (!capable(CAP_DAC_READ_SEARCH)) {
            return -ENOENT;
        }
        lookup |= LOOKUP_EMPTY;
    }
    int err = path_lookup_user((int)a[0], a[1], lookup, &from);
    if (err < 0) {
        return err;
    }
    err = name_get(a[3], &name);
    if (err == 0) {
        err = path_parent((int)a[2], name, &parent, &last);
        if (err == 0) {
            err = link_make(&from, &parent, &last);
            path_unref(parent);
        }
        name_put(name);
    }
    path_unref(from);
    return err;
}

/* The name is to go; the caller has the only reference of d that is to go with it. */
static void name_remove(const struct path *parent, struct dentry *d)
{
    struct inode *dir = parent->dentry->inode;
    bool is_dir = S_ISDIR(d->inode->mode);
    d->inode->ctime = time_realtime_ns();
    dentry_detach(d);
    inode_touch(dir);
    if (!is_dir) {
        notify_inode(d->inode, IN_ATTRIB);
    }
    if (d->refs == 1 && d->inode->nlink == 0) { /* before its directory is told, as on Linux */
        notify_gone(d->inode);
    }
    notify_name(dir, IN_DELETE | (is_dir ? IN_ISDIR : 0), d->name, d->len);
}

static int dir_remove(const struct path *parent, const struct last *last, struct dentry *d)
{
    if (last->dots) {
        return last->len == 1 ? -EINVAL : last->len == 2 ? -ENOTEMPTY : -EBUSY;
    }
    int err = path_may_delete(parent, d, true);
    if (err < 0) {
        return err;
    }
    if (d->inode->dir.entries > 0) {
        return -ENOTEMPTY;
    }
    d->inode->nlink = 0;
    parent->dentry->inode->nlink--;
    name_remove(parent, d);
    return 0;
}

static int file_remove(const struct path *parent, const struct last *last, struct dentry *d)
{
    if (last->dots) {
        return -EISDIR;
    }
    if (last->slash) {
        return S_ISDIR(d->inode->mode) ? -EISDIR : -ENOTDIR;
    }
    int err = path_may_delete(parent, d, false);
    if (err < 0) {
        return err;
    }
    d->inode->nlink--;
    name_remove(parent, d);
    return 0;
}

long sys_unlinkat(const uint64_t a[6])
{
    char *name;
    struct path parent;
    struct last last;
    if ((a[2] & ~(uint64_t)AT_REMOVEDIR) != 0) {
        return -EINVAL;
    }
    bool rmdir = a[2] != 0;
    int err = name_get(a[1], &name);
    if (err < 0) {
        return err;
    }
    err = path_parent((int)a[0], name, &parent, &last);
    if (err == 0) {
        struct dentry *victim = NULL;
        if (!last.dots) {
            err = mount_rdonly(parent.mnt) ? -EROFS : path_entry(&parent, &last, &victim);
        }
        if (err == 0) {
            err = rmdir ? dir_remove(&parent, &last, victim) : file_remove(&parent, &last, victim);
        }
        if (victim != NULL) {
            dentry_unref(victim);
        }
        path_unref(parent);
    }
    name_put(name);
    return err;
}
