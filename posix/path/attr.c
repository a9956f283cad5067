/* Changing what an inode says: mode, owner, times, size. */
#include "fd/fd_int.h"
#include "fs/notify.h"
#include "include/sys.h"
#include "path/target.h"

#include <linux/falloc.h>

static int may_change(const struct target *t)
{
    if (t->mnt != NULL && mount_rdonly(t->mnt)) {
        return -EROFS;
    }
    return 0;
}

static int may_set(const struct target *t, unsigned what)
{
    const struct inode *ino = t->ino;
    int err = may_change(t);
    if (err < 0 || ino->sb == NULL) {
        return err;
    }
    return ino->ops->may_set != NULL ? ino->ops->may_set(ino, what)
           : ino->ops->writable      ? 0
                                     : -EPERM;
}

/* Mode and owner as they are now: kept, or as they were. */
static int was_set(struct inode *ino, uint32_t mode, uint32_t uid, uint32_t gid)
{
    int err = ino->ops->was_set != NULL ? ino->ops->was_set(ino) : 0;
    if (err < 0) {
        ino->mode = mode;
        ino->uid = uid;
        ino->gid = gid;
    }
    return err;
}

static int chmod_target(const struct target *t, uint32_t mode)
{
    struct inode *ino = t->ino;
    uint32_t before = ino->mode;
    int err = may_set(t, SET_MODE);
    if (err < 0) {
        return err;
    }
    if (!inode_owned(ino)) {
        return -EPERM;
    }
    if (S_ISLNK(ino->mode)) {
        return -EOPNOTSUPP;
    }
    if (!cred_in_group(cred_now(), ino->gid) && !capable(CAP_FSETID)) {
        mode &= ~(uint32_t)S_ISGID;
    }
    ino->mode = (ino->mode & S_IFMT) | (mode & 07777);
    err = was_set(ino, before, ino->uid, ino->gid);
    if (err < 0) {
        return err;
    }
    ino->ctime = time_realtime_ns();
    target_tell(t, IN_ATTRIB);
    return 0;
}

long sys_fchmod(const uint64_t a[6])
{
    struct target t;
    int err = target_get_fd((int)a[0], false, &t);
    if (err == 0) {
        err = chmod_target(&t, (uint32_t)a[1]);
        target_put(&t);
    }
    return err;
}

long sys_fchmodat(const uint64_t a[6])
{
    struct target t;
    int err = target_get((int)a[0], a[1], 0, &t);
    if (err == 0) {
        err = chmod_target(&t, (uint32_t)a[2]);
        target_put(&t);
    }
    return err;
}

static int chown_target(const struct target *t, uint32_t uid, uint32_t gid)
{
    struct inode *ino = t->ino;
    const struct cred *c = cred_now();
    const uint32_t mode = ino->mode, old_uid = ino->uid, old_gid = ino->gid;
    int err = may_set(t, SET_OWNER);
    if (err < 0) {
        return err;
    }
    if (!capable(CAP_CHOWN)) {
        bool own = c->fsuid == ino->uid;
        if (uid != ~0u && !(own && uid == ino->uid)) {
            return -EPERM;
        }
        bool mine = gid == ino->gid || cred_in_group(c, gid);
        if (gid != ~0u && !(own && mine)) {
            return -EPERM;
        }
    }
    if (!S_ISDIR(ino->mode)) { /* root's chown too takes these away */
        uint32_t drop = S_ISUID | (inode_sgid_drops(ino) ? S_ISGID : 0);
        if ((ino->mode & drop) != 0 && !inode_owned(ino)) {
            return -EPERM; /* even when nothing else is to change */
        }
        ino->mode &= ~drop;
    }
    ino->uid = uid != ~0u ? uid : ino->uid;
    ino->gid = gid != ~0u ? gid : ino->gid;
    err = was_set(ino, mode, old_uid, old_gid);
    if (err < 0) {
        return err;
    }
    if (!S_ISDIR(ino->mode) && ino->xattrs != NULL) {
        xattr_drop(ino, XATTR_CAPS);
    }
    ino->ctime = time_realtime_ns();
    target_tell(t, IN_ATTRIB);
    return 0;
}

long sys_fchown(const uint64_t a[6])
{
    struct target t;
    int err = target_get_fd((int)a[0], false, &t);
    if (err == 0) {
        err = chown_target(&t, (uint32_t)a[1], (uint32_t)a[2]);
        target_put(&t);
    }
    return err;
}

long sys_fchownat(const uint64_t a[6])
{
    struct target t;
    unsigned flags = (unsigned)a[4];
    if ((flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) {
        return -EINVAL;
    }
    int err = target_get((int)a[0], a[1], flags, &t);
    if (err == 0) {
        err = chown_target(&t, (uint32_t)a[2], (uint32_t)a[3]);
        target_put(&t);
    }
    return err;
}

static bool nsec_valid(int64_t nsec)
{
    return nsec == ABI_UTIME_NOW || nsec == ABI_UTIME_OMIT ||
           (uint64_t)nsec < (uint64_t)NSEC_PER_SEC;
}

static int utimens_target(const struct target *t, const struct abi_timespec ts[2])
{
    struct inode *ino = t->ino;
    bool omit0 = ts[0].nsec == ABI_UTIME_OMIT, omit1 = ts[1].nsec == ABI_UTIME_OMIT;
    if (!nsec_valid(ts[0].nsec) || !nsec_valid(ts[1].nsec)) {
        return -EINVAL;
    }
    int err = may_set(t, SET_TIMES);
    if (err < 0) {
        return err;
    }
    if (!inode_owned(ino)) {
        if (ts[0].nsec != ABI_UTIME_NOW || ts[1].nsec != ABI_UTIME_NOW) {
            return -EPERM;
        }
        err = inode_permission(ino, MAY_WRITE); /* who may write may also touch */
        if (err < 0) {
            return err;
        }
    }
    int64_t now = time_realtime_ns();
    if (!omit0) {
        ino->atime = ts[0].nsec == ABI_UTIME_NOW ? now : ts[0].sec * NSEC_PER_SEC + ts[0].nsec;
    }
    if (!omit1) {
        ino->mtime = ts[1].nsec == ABI_UTIME_NOW ? now : ts[1].sec * NSEC_PER_SEC + ts[1].nsec;
    }
    ino->ctime = now;
    target_tell(t, !omit0 && !omit1 ? IN_ATTRIB : omit1 ? IN_ACCESS : IN_MODIFY);
    return 0;
}

/* Seconds that fit into 64 bits of nanoseconds: the years 1678 to 2262. */
#define SEC_MAX (INT64_MAX / NSEC_PER_SEC - 1)

long sys_utimensat(const uint64_t a[6])
{
    struct abi_timespec ts[2] = {{.nsec = ABI_UTIME_NOW}, {.nsec = ABI_UTIME_NOW}};
    struct target t;
    unsigned flags = (unsigned)a[3];
    if (a[2] != 0) {
        if (mb_copy_in(ts, a[2], sizeof(ts)) < 0) {
            return -EFAULT;
        }
        for (int i = 0; i < 2; i++) {
            ts[i].sec = ts[i].sec > SEC_MAX ? SEC_MAX : ts[i].sec < -SEC_MAX ? -SEC_MAX : ts[i].sec;
        }
        if (ts[0].nsec == ABI_UTIME_OMIT && ts[1].nsec == ABI_UTIME_OMIT) {
            return 0;
        }
    }
    if ((flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) {
        return -EINVAL;
    }
    int err;
    if (a[1] == 0) { /* futimens */
        err = (int)a[0] == AT_FDCWD ? -EFAULT
              : flags != 0          ? -EINVAL
                                    : target_get_fd((int)a[0], false, &t);
    } else {
        err = target_get((int)a[0], a[1], flags, &t);
    }
    if (err == 0) {
        err = utimens_target(&t, ts);
        target_put(&t);
    }
    return err;
}

/* ---- size ---- */

static int truncate_inode(struct inode *ino, int64_t len)
{
    if (len > ino->size) {
        long n = write_limit(ino->size, (size_t)(len - ino->size));
        if (n != len - ino->size) {
            if (n >= 0) {
                signal_self(ABI_SIGXFSZ);
            }
            return -EFBIG;
        }
    }
    int err = ino->ops->truncate(ino, len);
    if (err == 0) {
        inode_drop_setid(ino);
    }
    return err;
}

long sys_truncate(const uint64_t a[6])
{
    struct target t;
    int64_t len = (int64_t)a[1];
    if (len < 0) {
        return -EINVAL;
    }
    int err = target_get(AT_FDCWD, a[0], 0, &t);
    if (err < 0) {
        return err;
    }
    struct inode *ino = t.ino;
    if (S_ISDIR(ino->mode)) {
        err = -EISDIR;
    } else if (!S_ISREG(ino->mode)) {
        err = -EINVAL;
    } else {
        err = may_change(&t);
        err = err == 0 ? inode_permission(ino, MAY_WRITE) : err;
        if (err == 0) {
            err = lease_break(ino, true, false);
        }
        if (err == 0) {
            err = ino->writers < 0             ? -ETXTBSY
                  : ino->ops->truncate == NULL ? -EINVAL
                                               : truncate_inode(ino, len);
            if (err == 0) {
                target_tell(&t, IN_MODIFY);
            }
        }
    }
    target_put(&t);
    return err;
}

long sys_ftruncate(const uint64_t a[6])
{
    int64_t len = (int64_t)a[1];
    struct file *f = fd_get((int)a[0]);
    if (len < 0) {
        if (f != NULL) {
            file_unref(f);
        }
        return -EINVAL;
    }
    if (f == NULL) {
        return -EBADF;
    }
    int err = -EINVAL;
    if ((f->flags & O_ACCMODE) != O_RDONLY) {
        if (S_ISREG(f->inode->mode) && f->inode->ops->truncate != NULL) {
            err = truncate_inode(f->inode, len);
            if (err == 0) {
                inode_touch(f->inode); /* also when nothing changed */
                notify_file(f, IN_MODIFY);
            }
        } else if (f->ops->truncate != NULL) {
            err = f->ops->truncate(f, len);
        }
    }
    file_unref(f);
    return err;
}

/* Which of the flags go together, whatever the file can do. */
static int fallocate_mode(unsigned mode)
{
    const unsigned keep = FALLOC_FL_KEEP_SIZE, punch = FALLOC_FL_PUNCH_HOLE;
    if ((mode & ~(keep | punch | FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_ZERO_RANGE |
                  FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE)) != 0) {
        return -EOPNOTSUPP;
    }
    if ((mode & punch) != 0 && ((mode & FALLOC_FL_ZERO_RANGE) != 0 || (mode & keep) == 0)) {
        return -EOPNOTSUPP;
    }
    for (unsigned alone = FALLOC_FL_COLLAPSE_RANGE; alone <= FALLOC_FL_INSERT_RANGE; alone *= 4) {
        if ((mode & alone) != 0 && mode != alone) {
            return -EINVAL;
        }
    }
    bool unshare = (mode & FALLOC_FL_UNSHARE_RANGE) != 0;
    return unshare && (mode & ~(FALLOC_FL_UNSHARE_RANGE | keep)) != 0 ? -EINVAL : 0;
}

long sys_fallocate(const uint64_t a[6])
{
    unsigned mode = (unsigned)a[1];
    int64_t off = (int64_t)a[2], len = (int64_t)a[3], end;
    struct file *f = fd_get((int)a[0]);
    if (f == NULL) {
        return -EBADF;
    }
    struct inode *ino = f->inode;
    int err;
    if (off < 0 || len <= 0) {
        err = -EINVAL;
    } else if (fallocate_mode(mode) < 0) {
        err = fallocate_mode(mode);
    } else if ((f->flags & O_ACCMODE) == O_RDONLY) {
        err = -EBADF;
    } else if (S_ISFIFO(ino->mode)) {
        err = -ESPIPE;
    } else if (S_ISDIR(ino->mode)) {
        err = -EISDIR;
    } else if (!S_ISREG(ino->mode)) {
        err = -ENODEV;
    } else if (__builtin_add_overflow(off, len, &end)) {
        err = -EFBIG;
    } else {
        err = ino->ops->fallocate != NULL ? ino->ops->fallocate(ino, mode, off, len) : -EOPNOTSUPP;
        if (err == 0) {
            notify_file(f, IN_MODIFY);
        }
    }
    file_unref(f);
    return err;
}
