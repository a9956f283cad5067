/* Inodes: making, permission, times, and what stat says.
 *
 * Rules: whoever changes data or names calls inode_touch; mode and owner are checked here and nowhere
 * else, against the fs ids and the capabilities about files.
 */
#include "fs/inode.h"

#include <string.h>

#define DAY_NS (24ll * 3600 * NSEC_PER_SEC)

uint64_t inode_count;
void (*vfs_truncate_hook)(struct inode *ino, uint64_t from, uint64_t to);

static uint64_t next_anon_ino = 1;

struct inode *inode_make(struct sb *sb, const struct inode_ops *ops, const struct file_ops *fops,
                         uint32_t mode)
{
    struct inode *ino = mb_zalloc(sizeof(*ino));
    if (ino == NULL) {
        return NULL;
    }
    ino->ops = ops;
    ino->fops = fops;
    ino->sb = sb;
    ino->ino = sb != NULL ? ++sb->next_ino : next_anon_ino++;
    ino->refs = 1;
    ino->mode = mode;
    ino->nlink = S_ISDIR(mode) ? 2 : 1;
    ino->atime = ino->mtime = ino->ctime = ino->btime = time_realtime_ns();
    if (S_ISDIR(mode)) {
        ino->dir.next_cookie = 2; /* behind "." and ".." */
    }
    inode_count++;
    return ino;
}

void inode_evict_(struct inode *ino)
{
    if (ino->ops->evict != NULL) {
        ino->ops->evict(ino);
    }
    xattr_free_all(ino);
    inode_count--;
    mb_free(ino);
}

/* What the mode forbids, a capability may allow; but nobody executes what nobody may execute. */
static bool overrides(const struct cred *c, const struct inode *ino, unsigned may)
{
    bool dir = S_ISDIR(ino->mode);
    if (cred_has(c, CAP_DAC_OVERRIDE)) {
        return dir || (may & MAY_EXEC) == 0 || (ino->mode & 0111) != 0;
    }
    return cred_has(c, CAP_DAC_READ_SEARCH) && (dir ? (may & MAY_WRITE) == 0 : may == MAY_READ);
}

int inode_permission(struct inode *ino, unsigned may)
{
    return ino->ops->permission != NULL ? ino->ops->permission(ino, may)
                                        : inode_mode_permission(ino, may);
}

int inode_mode_permission(const struct inode *ino, unsigned may)
{
    const struct cred *c = cred_now();
    uint32_t mode = ino->mode;
    if (c->fsuid == ino->uid) {
        mode >>= 6;
    } else if (cred_in_group(c, ino->gid)) {
        mode >>= 3;
    }
    return (may & ~mode & 7) == 0 || overrides(c, ino, may) ? 0 : -EACCES;
}

bool inode_owned(const struct inode *ino)
{
    const struct cred *c = cred_now();
    return c->fsuid == ino->uid || cred_has(c, CAP_FOWNER);
}

void inode_stat(struct inode *ino, struct kstat *st)
{
    st->dev = ino->sb != NULL ? ino->sb->dev : dev_make(0, 1);
    st->ino = ino->ino;
    st->rdev = ino->rdev;
    st->mode = ino->mode;
    st->nlink = ino->nlink;
    st->uid = ino->uid;
    st->gid = ino->gid;
    st->size = ino->size;
    st->blocks = S_ISREG(ino->mode) ? ino->pages.count * (MB_PAGE / 512) : 0;
    st->blksize = MB_PAGE;
    st->atime = ino->atime;
    st->mtime = ino->mtime;
    st->ctime = ino->ctime;
    st->btime = ino->btime;
    if (ino->ops->stat != NULL) {
        ino->ops->stat(ino, st);
    }
}

void inode_touch(struct inode *ino)
{
    ino->mtime = ino->ctime = time_realtime_ns();
}

void inode_accessed_(struct inode *ino, const struct file *f)
{
    if ((f->flags & O_NOATIME) == 0) {
        inode_accessed_at(ino, f->mnt);
    }
}

void inode_accessed_at(struct inode *ino, const struct mount *m)
{
    const unsigned none =
        ABI_MS_NOATIME | ABI_MS_RDONLY | (S_ISDIR(ino->mode) ? ABI_MS_NODIRATIME : 0);
    if (m != NULL && ((m->flags & none) != 0 || m->sb->rdonly)) {
        return;
    }
    int64_t now = time_realtime_ns();
    /* relatime: only when it would say something new, or is a day old */
    if ((m != NULL && (m->flags & ABI_MS_STRICTATIME) != 0) || ino->atime <= ino->mtime ||
        ino->atime <= ino->ctime || now - ino->atime >= DAY_NS) {
        ino->atime = now;
    }
}

bool inode_sgid_drops(const struct inode *ino)
{
    const struct cred *c = cred_now();
    return (ino->mode & S_ISGID) != 0 &&
           ((ino->mode & S_IXGRP) != 0 ||
            (!cred_has(c, CAP_FSETID) && !cred_in_group(c, ino->gid)));
}

void inode_drop_setid(struct inode *ino)
{
    if (ino->xattrs != NULL) {
        xattr_drop(ino, XATTR_CAPS);
    }
    if (S_ISREG(ino->mode) && !capable(CAP_FSETID)) {
        uint32_t drop = S_ISUID | (inode_sgid_drops(ino) ? S_ISGID : 0);
        ino->mode &= ~drop;
    }
}
