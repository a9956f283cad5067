/* rename: decode everything, then change the tree, which cannot fail any more. */
#include "include/sys.h"
#include "fs/notify.h"
#include "path/path.h"

#define NOREPLACE 1u
#define EXCHANGE 2u

struct rename {
    struct path from_dir, to_dir;
    struct last from_last, to_last;
    struct dentry *from, *to; /* to: NULL when there is nothing by that name */
    unsigned flags;
};

/* Moving a directory to another parent changes its "..": it must be writable. */
static int may_move(struct dentry *d, struct dentry *to_dir)
{
    if (!S_ISDIR(d->inode->mode) || d->parent == to_dir) {
        return 0;
    }
    return inode_permission(d->inode, MAY_WRITE);
}

static int rename_check(const struct rename *r)
{
    bool from_dir = S_ISDIR(r->from->inode->mode);
    bool to_dir = r->to != NULL && S_ISDIR(r->to->inode->mode);
    bool exchange = (r->flags & EXCHANGE) != 0;

    if (r->to != NULL && (r->flags & NOREPLACE) != 0) {
        return -EEXIST;
    }
    if (r->to == NULL && exchange) {
        return -ENOENT;
    }
    if ((!from_dir && r->from_last.slash) ||
        (r->to_last.slash && !(exchange ? to_dir : from_dir))) {
        return -ENOTDIR;
    }
    if (dentry_is_below(r->to_dir.dentry, r->from)) {
        return -EINVAL; /* into itself */
    }
    if (r->to != NULL && dentry_is_below(r->from_dir.dentry, r->to)) {
        return exchange ? -EINVAL : -ENOTEMPTY;
    }
    if (r->to != NULL && r->to->inode == r->from->inode) {
        return 0; /* two names of one file: nothing to do, and that is no error */
    }
    int err = path_may_delete(&r->from_dir, r->from, from_dir);
    if (err < 0) {
        return err;
    }
    if (r->to == NULL) {
        err = path_may_change(&r->to_dir);
        if (err == 0 && !r->to_dir.dentry->inode->ops->writable) {
            err = -ENOENT;
        }
    } else {
        err = path_may_delete(&r->to_dir, r->to, exchange ? to_dir : from_dir);
    }
    if (err == 0) {
        err = may_move(r->from, r->to_dir.dentry);
    }
    if (err == 0 && exchange) {
        err = may_move(r->to, r->from_dir.dentry);
    }
    if (err == 0 && to_dir && !exchange && r->to->inode->dir.entries > 0) {
        err = -ENOTEMPTY;
    }
    return err;
}

static void rename_exchange(struct rename *r)
{
    int links = S_ISDIR(r->to->inode->mode) - S_ISDIR(r->from->inode->mode);
    dentry_exchange(r->from, r->to);
    r->from_dir.dentry->inode->nlink += (uint32_t)links;
    r->to_dir.dentry->inode->nlink -= (uint32_t)links;
    r->to->inode->ctime = time_realtime_ns();
}

static int rename_move(struct rename *r)
{
    struct inode *from_dir = r->from_dir.dentry->inode, *to_dir = r->to_dir.dentry->inode;
    int err = dentry_rename(r->from, r->to_dir.dentry, r->to_last.name, r->to_last.len);
    if (err < 0) {
        return err;
    }
    /* For a moment both carry the name; nobody looks. */
    if (r->to != NULL) {
        struct inode *old = r->to->inode;
        if (S_ISDIR(old->mode)) {
            old->nlink = 0;
            to_dir->nlink--;
        } else {
            old->nlink--;
        }
        old->ctime = time_realtime_ns();
        dentry_detach(r->to);
    }
    if (S_ISDIR(r->from->inode->mode) && from_dir != to_dir) {
        from_dir->nlink--;
        to_dir->nlink++;
    }
    return 0;
}

/* d, which had this name in from, is now in `to` under its new one. */
static void tell_moved(struct dentry *d, struct inode *from, const char *name, unsigned len,
                       struct inode *to, struct inode *replaced)
{
    uint32_t type = S_ISDIR(d->inode->mode) ? IN_ISDIR : 0, cookie = notify_cookie();
    notify_name_(from, IN_MOVED_FROM | type, name, len, cookie);
    notify_name_(to, IN_MOVED_TO | type, d->name, d->len, cookie);
    if (replaced != NULL) {
        notify_inode_(replaced, IN_ATTRIB);
    }
    notify_inode_(d->inode, IN_MOVE_SELF);
}

static void tell_renamed(const struct rename *r)
{
    struct inode *from = r->from_dir.dentry->inode, *to = r->to_dir.dentry->inode;
    bool exchange = (r->flags & EXCHANGE) != 0;
    tell_moved(r->from, from, r->from_last.name, r->from_last.len, to,
               !exchange && r->to != NULL ? r->to->inode : NULL);
    if (exchange) {
        tell_moved(r->to, to, r->to_last.name, r->to_last.len, from, NULL);
    }
}

static int rename_paths(struct rename *r)
{
    if (r->from_dir.mnt != r->to_dir.mnt) {
        return -EXDEV;
    }
    if (r->from_last.dots) {
        return -EBUSY;
    }
    if (r->to_last.dots) {
        return (r->flags & NOREPLACE) != 0 ? -EEXIST : -EBUSY;
    }
    if (mount_rdonly(r->from_dir.mnt)) {
        return -EROFS;
    }
    int err = path_entry(&r->from_dir, &r->from_last, &r->from);
    if (err < 0) {
        return err;
    }
    err = path_entry(&r->to_dir, &r->to_last, &r->to);
    if (err < 0 && err != -ENOENT) {
        return err;
    }
    err = rename_check(r);
    if (err < 0 || (r->to != NULL && r->to->inode == r->from->inode)) {
        return err;
    }
    if ((r->flags & EXCHANGE) != 0) {
        rename_exchange(r);
    } else {
        err = rename_move(r);
        if (err < 0) {
            return err;
        }
    }
    inode_touch(r->from_dir.dentry->inode);
    inode_touch(r->to_dir.dentry->inode);
    r->from->inode->ctime = time_realtime_ns();
    if (notify_watches != 0) {
        tell_renamed(r);
    }
    return 0;
}

long sys_renameat2(const uint64_t a[6])
{
    struct rename r = {.flags = (unsigned)a[4]};
    char *from, *to;
    if ((r.flags & ~(NOREPLACE | EXCHANGE)) != 0 || r.flags == (NOREPLACE | EXCHANGE)) {
        return -EINVAL;
    }
    int err = name_get(a[1], &from);
    if (err < 0) {
        return err;
    }
    err = name_get(a[3], &to);
    if (err < 0) {
        name_put(from);
        return err;
    }
    err = path_parent((int)a[0], from, &r.from_dir, &r.from_last);
    if (err == 0) {
        err = path_parent((int)a[2], to, &r.to_dir, &r.to_last);
        if (err == 0) {
            err = rename_paths(&r);
            if (r.from != NULL) {
                dentry_unref(r.from);
            }
            if (r.to != NULL) {
                dentry_unref(r.to);
            }
            path_unref(r.to_dir);
        }
        path_unref(r.from_dir);
    }
    name_put(to);
    name_put(from);
    return err;
}
