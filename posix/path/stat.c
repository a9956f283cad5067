/* stat and its relatives: what inodes say, in the layouts programs expect. */
#include "include/sys.h"
#include "path/target.h"

#include <linux/securebits.h>

/* Also right before 1970: the rest is never negative. */
static int64_t split(int64_t ns, uint64_t *rest)
{
    int64_t sec = ns / NSEC_PER_SEC;
    ns -= sec * NSEC_PER_SEC;
    if (ns < 0) {
        sec--;
        ns += NSEC_PER_SEC;
    }
    *rest = (uint64_t)ns;
    return sec;
}

static int stat_out(uint64_t uaddr, const struct kstat *k)
{
    struct abi_stat st = {
        .dev = k->dev,
        .ino = k->ino,
        .mode = k->mode,
        .nlink = k->nlink,
        .uid = k->uid,
        .gid = k->gid,
        .rdev = k->rdev,
        .size = k->size,
        .blksize = (int32_t)k->blksize,
        .blocks = (int64_t)k->blocks,
    };
    st.atime = split(k->atime, &st.atime_nsec);
    st.mtime = split(k->mtime, &st.mtime_nsec);
    st.ctime = split(k->ctime, &st.ctime_nsec);
    return mb_copy_out(uaddr, &st, sizeof(st));
}

long sys_fstat(const uint64_t a[6])
{
    struct target t;
    struct kstat k;
    int err = target_get_fd((int)a[0], true, &t);
    if (err < 0) {
        return err;
    }
    inode_stat(t.ino, &k);
    target_put(&t);
    return stat_out(a[1], &k);
}

#define STAT_FLAGS (AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT)

long sys_newfstatat(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[3];
    struct target t;
    struct kstat k;
    if ((flags & ~(unsigned)STAT_FLAGS) != 0) {
        return -EINVAL;
    }
    int err = target_get((int)a[0], a[1], flags, &t);
    if (err < 0) {
        return err;
    }
    inode_stat(t.ino, &k);
    target_put(&t);
    return stat_out(a[2], &k);
}

static struct statx_timestamp stamp(int64_t ns)
{
    uint64_t rest;
    int64_t sec = split(ns, &rest);
    return (struct statx_timestamp){.tv_sec = sec, .tv_nsec = (uint32_t)rest};
}

long sys_statx(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[2];
    struct target t;
    struct kstat k;
    if ((flags & ~(unsigned)(STAT_FLAGS | AT_STATX_SYNC_TYPE)) != 0 ||
        (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE || (a[3] & STATX__RESERVED) != 0) {
        return -EINVAL;
    }
    int err = target_get((int)a[0], a[1], flags, &t);
    if (err < 0) {
        return err;
    }
    inode_stat(t.ino, &k);
    const struct dentry *d = t.file != NULL ? t.file->dentry : t.path.dentry;
    bool root = t.mnt != NULL && d == t.mnt->root;
    uint64_t mount_id = t.mnt != NULL ? t.mnt->id : 0;
    target_put(&t);
    struct statx x = {
        .stx_mask = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID,
        .stx_mnt_id = mount_id,
        .stx_blksize = k.blksize,
        .stx_attributes_mask = STATX_ATTR_MOUNT_ROOT,
        .stx_attributes = root ? STATX_ATTR_MOUNT_ROOT : 0,
        .stx_nlink = k.nlink,
        .stx_uid = k.uid,
        .stx_gid = k.gid,
        .stx_mode = (uint16_t)k.mode,
        .stx_ino = k.ino,
        .stx_size = (uint64_t)k.size,
        .stx_blocks = k.blocks,
        .stx_atime = stamp(k.atime),
        .stx_btime = stamp(k.btime),
        .stx_ctime = stamp(k.ctime),
        .stx_mtime = stamp(k.mtime),
        .stx_rdev_major = dev_major(k.rdev),
        .stx_rdev_minor = dev_minor(k.rdev),
        .stx_dev_major = dev_major(k.dev),
        .stx_dev_minor = dev_minor(k.dev),
    };
    return mb_copy_out(a[4], &x, sizeof(x));
}

static long statfs_out(uint64_t uaddr, const struct target *t)
{
    const struct sb *sb = t->mnt != NULL ? t->mnt->sb : NULL;
    struct abi_statfs s = {
        .type = 0x50495045, .bsize = MB_PAGE, .namelen = NAME_MAX, .frsize = MB_PAGE};
    if (sb != NULL) {
        s.type = sb->type->magic;
        s.fsid[0] = (int32_t)sb->dev;
        s.flags = ABI_ST_VALID;
        static const struct {
            unsigned ms, st;
        } map[] = {{ABI_MS_RDONLY, 1},          {ABI_MS_NOSUID, 2},     {ABI_MS_NODEV, 4},
                   {ABI_MS_NOEXEC, 8},          {ABI_MS_NOATIME, 1024}, {ABI_MS_NODIRATIME, 2048},
                   {ABI_MS_NOSYMFOLLOW, 0x2000}};
        for (unsigned i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
            s.flags |= (t->mnt->flags & map[i].ms) != 0 ? map[i].st : 0;
        }
        s.flags |= sb->rdonly ? 1 : 0;
        s.flags |= (t->mnt->flags & (ABI_MS_NOATIME | ABI_MS_STRICTATIME)) == 0 ? 4096 : 0;
        if (sb->pages_max != 0) {
            uint64_t most = tmpfs_pages < tmpfs_pages_max ? tmpfs_pages_max - tmpfs_pages : 0;
            s.blocks = sb->pages_max;
            s.bfree = sb->pages_max > sb->pages ? sb->pages_max - sb->pages : 0;
            s.bfree = s.bfree < most ? s.bfree : most;
            s.bavail = s.bfree;
        }
        if (sb->inodes_max != 0) {
            s.files = sb->inodes_max;
            s.ffree = sb->inodes_max - sb->inodes;
        }
    }
    return mb_copy_out(uaddr, &s, sizeof(s));
}

long sys_statfs(const uint64_t a[6])
{
    struct target t;
    int err = target_get(AT_FDCWD, a[0], 0, &t);
    if (err < 0) {
        return err;
    }
    long result = statfs_out(a[1], &t);
    target_put(&t);
    return result;
}

long sys_fstatfs(const uint64_t a[6])
{
    struct target t;
    int err = target_get_fd((int)a[0], true, &t);
    if (err < 0) {
        return err;
    }
    long result = statfs_out(a[1], &t);
    target_put(&t);
    return result;
}

/* ---- access, readlink ---- */

static int access_target(const struct target *t, unsigned may)
{
    struct inode *ino = t->ino;
    if ((may & MAY_EXEC) != 0 && S_ISREG(ino->mode) && t->mnt != NULL &&
        (t->mnt->flags & ABI_MS_NOEXEC) != 0) {
        return -EACCES;
    }
    int err = may != 0 ? inode_permission(ino, may) : 0;
    if (err < 0) {
        return err;
    }
    bool data = S_ISREG(ino->mode) || S_ISDIR(ino->mode) || S_ISLNK(ino->mode);
    return (may & MAY_WRITE) != 0 && data && t->mnt != NULL && mount_rdonly(t->mnt) ? -EROFS : 0;
}

static long access_at(int dirfd, uint64_t uname, unsigned may, unsigned flags)
{
    if ((may & ~7u) != 0 ||
        (flags & ~(unsigned)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) {
        return -EINVAL;
    }
    /* The whole walk counts with the real ids; nothing below sleeps, so nobody sees the swap. */
    struct cred *c = &current->cred;
    uint32_t uid = c->fsuid, gid = c->fsgid;
    uint64_t caps = c->effective;
    if ((flags & AT_EACCESS) == 0) {
        c->fsuid = c->ruid;
        c->fsgid = c->rgid;
        if ((c->securebits & SECBIT_NO_SETUID_FIXUP) == 0) {
            c->effective = c->ruid == 0 ? c->permitted : 0;
        }
    }
    struct target t;
    int err = target_get(dirfd, uname, flags, &t);
    if (err == 0) {
        err = access_target(&t, may);
        target_put(&t);
    }
    c->fsuid = uid;
    c->fsgid = gid;
    c->effective = caps;
    return err;
}

long sys_faccessat(const uint64_t a[6])
{
    return access_at((int)a[0], a[1], (unsigned)a[2], 0);
}

long sys_faccessat2(const uint64_t a[6])
{
    return access_at((int)a[0], a[1], (unsigned)a[2], (unsigned)a[3]);
}

long sys_readlinkat(const uint64_t a[6])
{
    struct target t;
    int size = (int)a[3];
    if (size <= 0) {
        return -EINVAL;
    }
    int err = target_get((int)a[0], a[1], AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &t);
    if (err < 0) {
        return err;
    }
    long result;
    struct inode *ino = t.ino;
    if (!S_ISLNK(ino->mode)) {
        result = t.empty ? -ENOENT : -EINVAL;
    } else if (ino->ops->readlink != NULL) {
        char *text = mb_alloc(PATH_MAX);
        result = text != NULL ? ino->ops->readlink(ino, text, PATH_MAX) : -ENOMEM;
        if (result > 0) {
            result = result < size ? result : size;
            err = mb_copy_out(a[2], text, (size_t)result);
            result = err < 0 ? err : result;
        }
        mb_free(text);
    } else {
        result = ino->size < size ? ino->size : size;
        err = mb_copy_out(a[2], ino->link, (size_t)result);
        result = err < 0 ? err : result;
        inode_accessed_at(ino, t.mnt);
    }
    target_put(&t);
    return result;
}
