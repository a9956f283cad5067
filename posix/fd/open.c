/* open(2): from a name and flags to an open file description.
 *
 *      name --open_name--> path (made when asked for, permission checked)
 *      path --open_finish--> file (may block: FIFOs, terminals)
 * Not here: the calls themselves, and which flags they take (openat.c).
 */
#include "fd/fd_int.h"
#include "fs/notify.h"

#include <stdio.h>
#include <string.h>

#define OPEN_ONLY (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC)

static const struct file_ops path_ops = {.name = "path"};
const struct file_ops file_dead_ops = {.name = "dead"};

/* f is memory for it: taken over, like p, also when it fails. */
static int open_into(struct file *f, struct path p, unsigned flags, struct file **out)
{
    int err = lease_break_open(&p, flags);
    file_fill(f, p, (flags & ~(unsigned)O_CLOEXEC) | O_LARGEFILE);
    if (err < 0 || (flags & O_PATH) != 0) {
        f->flags = O_PATH | (flags & (O_DIRECTORY | O_NOFOLLOW));
        f->ops = &path_ops;
        if (err < 0) {
            file_unref(f); /* it goes as what was not opened, but named */
            return err;
        }
        *out = f;
        return 0;
    }
    struct inode *ino = f->inode;
    f->ops = &file_dead_ops; /* until it is open there is nothing to release */
    if (S_ISREG(ino->mode)) {
        ino->opens++; /* file_release_ takes it back */
    }
    if (S_ISREG(ino->mode) && file_can_write(f)) {
        ino->writers++; /* this, too */
        f->mnt->writers++;
        if (ino->writers <= 0) {
            err = -ETXTBSY;
        }
    }
    if (err == 0 && (flags & O_TRUNC) != 0 && ino->ops->truncate != NULL) {
        err = ino->writers < 0 ? -ETXTBSY : ino->ops->truncate(ino, 0);
        if (err == 0) {
            inode_touch(ino);
            inode_drop_setid(ino);
            notify_file(f, IN_MODIFY);
        }
    }
    if (err == 0) {
        f->ops = ino->fops;
        if (ino->ops->open != NULL) {
            err = ino->ops->open(ino, f);
            if (err < 0) {
                f->ops = &file_dead_ops;
            }
        }
    }
    if (err < 0) {
        file_unref(f);
        return err;
    }
    f->flags &= ~(unsigned)OPEN_ONLY;
    notify_file(f, IN_OPEN);
    *out = f;
    return 0;
}

int file_open_path(struct path p, unsigned flags, struct file **out)
{
    struct file *f = mb_alloc(sizeof(*f));
    if (f == NULL) {
        path_unref(p);
        return -ENOMEM;
    }
    return open_into(f, p, flags, out);
}

/* May what is there be opened with these flags? */
static int may_open(const struct path *p, unsigned flags)
{
    struct inode *ino = p->dentry->inode;
    uint32_t mode = ino->mode;
    static const uint8_t want[4] = {MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE,
                                    MAY_READ | MAY_WRITE};
    unsigned may = want[flags & O_ACCMODE] | ((flags & O_TRUNC) != 0 ? MAY_WRITE : 0);

    switch (mode & S_IFMT) {
    case S_IFLNK:
        return -ELOOP;
    case S_IFDIR:
        if ((may & MAY_WRITE) != 0) {
            return -EISDIR;
        }
        break;
    case S_IFCHR:
    case S_IFBLK:
        if ((p->mnt->flags & ABI_MS_NODEV) != 0) {
            return -EACCES;
        }
        break;
    case S_IFREG:
        if ((may & MAY_WRITE) != 0 && mount_rdonly(p->mnt)) {
            return -EROFS;
        }
        break;
    default:
        break;
    }
    if ((flags & O_NOATIME) != 0 && !inode_owned(ino)) {
        return -EPERM;
    }
    return inode_permission(ino, may);
}

/* O_TMPFILE: a file without a name in that directory; linkat can give it one. */
static int tmpfile_make(const struct path *dir, unsigned flags, unsigned mode, struct path *out)
{
    struct inode *parent = dir->dentry->inode, *ino;
    if ((flags & O_ACCMODE) == O_RDONLY) {
        return -EINVAL;
    }
    int err = path_may_change(dir);
    if (err < 0) {
        return err;
    }
    if (!parent->ops->writable) {
        return -EOPNOTSUPP;
    }
    struct sb *sb = dir->mnt->sb;
    err = sb->type->make(sb, path_new_mode(parent, S_IFREG | (mode & 07777)), 0, NULL, &ino);
    if (err < 0) {
        return err;
    }
    const struct cred *c = cred_now();
    ino->uid = c->fsuid;
    ino->gid = (parent->mode & S_ISGID) != 0 ? parent->gid : c->fsgid;
    ino->nlink = 0;
    ino->linkable = (flags & O_EXCL) == 0;
    char name[24];
    unsigned len = (unsigned)snprintf(name, sizeof(name), "#%lu", (unsigned long)ino->ino);
    struct dentry *d = dentry_make(dir->dentry, name, len, 0, ino);
    if (d == NULL) {
        inode_unref(ino);
        return -ENOMEM;
    }
    d->flags |= DENTRY_DELETED;
    *out = (struct path){.mnt = mount_ref(dir->mnt), .dentry = d};
    return 0;
}

static int resolve_create(struct opening *o, struct path *out)
{
    struct path parent, found;
    struct last last;
    bool excl = (o->flags & O_EXCL) != 0;
    unsigned lookup = o->lookup | (!excl && (o->flags & O_NOFOLLOW) == 0 ? LOOKUP_FOLLOW : 0);
    int err = path_open_walk(o->dirfd, o->name, lookup, &parent, &last, &found);
    if (err < 0) {
        return err;
    }
    if (found.dentry == NULL) {
        struct spec spec = {.mode = S_IFREG | (o->mode & 07777)};
        /* A new file may be opened whatever its mode says, and has nothing to be cut off. */
        err = path_make(&parent, &last, &spec, out);
        o->flags &= ~(unsigned)O_TRUNC;
    } else if (excl) {
        err = -EEXIST;
    } else if (S_ISDIR(found.dentry->inode->mode)) {
        err = -EISDIR;
    } else {
        err = protect_create(parent.dentry->inode, found.dentry->inode);
        err = err < 0 ? err : may_open(&found, o->flags);
        if (err == 0) {
            *out = path_ref(found);
        }
    }
    if (found.dentry != NULL) {
        path_unref(found);
    }
    path_unref(parent);
    return err;
}

static int open_resolve(struct opening *o, struct path *out)
{
    unsigned flags = o->flags;
    if ((flags & TMPFILE_BIT) != 0) {
        struct path dir;
        if ((flags & O_DIRECTORY) == 0) {
            return -EINVAL;
        }
        int err =
            path_lookup(o->dirfd, o->name, o->lookup | LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &dir);
        if (err == 0) {
            err = tmpfile_make(&dir, flags, o->mode, out);
            path_unref(dir);
        }
        return err;
    }
    if ((flags & (O_CREAT | O_PATH)) == O_CREAT) {
        return (flags & O_DIRECTORY) != 0 ? -EINVAL : resolve_create(o, out);
    }
    unsigned lookup = o->lookup | ((flags & O_NOFOLLOW) == 0 ? LOOKUP_FOLLOW : 0) |
                      ((flags & O_DIRECTORY) != 0 ? LOOKUP_DIRECTORY : 0);
    int err = path_lookup(o->dirfd, o->name, lookup, out);
    if (err == 0 && (flags & O_PATH) == 0) {
        err = may_open(out, flags);
        if (err < 0) {
            path_unref(*out);
        }
    }
    return err;
}

int open_name(struct opening *o)
{
    o->path = (struct path){NULL, NULL};
    o->file = mb_alloc(sizeof(*o->file));
    if (o->file == NULL) {
        return -ENOMEM;
    }
    int err = open_resolve(o, &o->path);
    if (err < 0) {
        mb_free(o->file);
    }
    return err;
}

int open_found(struct path p, unsigned flags, struct file **out)
{
    int err = (flags & O_PATH) != 0 ? 0 : may_open(&p, flags);
    if (err == 0 && (flags & O_DIRECTORY) != 0 && !S_ISDIR(p.dentry->inode->mode)) {
        err = -ENOTDIR;
    }
    if (err < 0) {
        path_unref(p);
        return err;
    }
    return file_open_path(p, flags, out);
}

int open_finish(struct opening *o, struct file **out)
{
    return open_into(o->file, o->path, o->flags, out);
}

int vfs_open(const char *path, unsigned flags, unsigned mode, struct file **out)
{
    struct opening o = {.dirfd = AT_FDCWD, .name = path, .flags = flags, .mode = mode};
    int err = open_name(&o);
    return err < 0 ? err : open_finish(&o, out);
}

int vfs_open_exec(const char *path, struct file **out)
{
    struct path p;
    int err = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW, &p);
    if (err < 0) {
        return err;
    }
    struct inode *ino = p.dentry->inode;
    if (!S_ISREG(ino->mode) || (p.mnt->flags & ABI_MS_NOEXEC) != 0) {
        err = -EACCES;
    } else {
        err = inode_permission(ino, MAY_EXEC);
        if (err == 0 && ino->writers > 0) {
            err = -ETXTBSY;
        }
    }
    if (err < 0) {
        path_unref(p);
        return err;
    }
    return file_open_path(p, O_RDONLY, out);
}
