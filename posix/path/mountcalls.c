/* mount and umount2: what their many flags ask for.
 *
 * There is one name space of mounts.
 * Not here: the tree of mounts itself (fs/mount.c), /proc/mounts and mountinfo (mounttext.c).
 */
#include "include/sys.h"
#include "fs/mount.h"
#include "path/path.h"

#include <string.h>

#define PROPAGATION (ABI_MS_SHARED | ABI_MS_PRIVATE | ABI_MS_SLAVE | ABI_MS_UNBINDABLE)
#define ATIME_FLAGS (ABI_MS_NOATIME | ABI_MS_NODIRATIME | ABI_MS_RELATIME | ABI_MS_STRICTATIME)

static unsigned kept_flags(unsigned flags)
{
    flags &= MOUNT_FLAGS;
    return (flags & ABI_MS_STRICTATIME) != 0 ? flags & ~ABI_MS_NOATIME : flags;
}

/* m is new at its place: peers and slaves of where it is get it, too, or all is as before. */
static int spread(struct mount *m, unsigned first_new)
{
    int err = mount_propagate(m, first_new);
    for (struct mount *x = err < 0 ? mount_list : NULL; x != NULL;) {
        bool mine = x->id >= first_new && x->parent != NULL;
        if (mine) {
            mount_cut(x);
        }
        x = mine ? mount_list : x->next;
    }
    return err;
}

static int mount_new(const char *type_name, const char *source, const char *options, unsigned flags,
                     const struct path *at)
{
    const struct fs_type *type = fs_find(type_name);
    if (type == NULL) {
        return -ENODEV;
    }
    if (!S_ISDIR(at->dentry->inode->mode)) {
        return -ENOTDIR;
    }
    struct sb *sb;
    int err = type->mount(type, options, &sb);
    if (err < 0) {
        return err;
    }
    if (sb->refs == 1) { /* nobody else's: it is the file system that is read-only */
        sb->rdonly = (flags & ABI_MS_RDONLY) != 0;
    }
    unsigned first_new = mount_next_id();
    struct mount *m;
    err = mount_add(sb, sb->root, at, source[0] != 0 ? source : "none", kept_flags(flags), &m);
    return err < 0 ? err : spread(m, first_new);
}

static int mount_bind(const char *source, const struct path *at, bool recursive)
{
    struct path from;
    int err = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &from);
    if (err < 0) {
        return err;
    }
    if (S_ISDIR(from.dentry->inode->mode) != S_ISDIR(at->dentry->inode->mode)) {
        err = -ENOTDIR;
    } else if (from.mnt->unbindable) {
        err = -EINVAL;
    } else {
        unsigned first_new = mount_next_id();
        struct mount *m;
        err = mount_copy(&from, at, recursive, MOUNT_PEER, &m);
        err = err < 0 ? err : spread(m, first_new);
    }
    path_unref(from);
    return err;
}

/* The mount whose root p is. */
static int mount_of(const struct path *p, struct mount **out)
{
    if (p->dentry != p->mnt->root) {
        return -EINVAL;
    }
    *out = p->mnt;
    return 0;
}

static int mount_change(const char *options, unsigned flags, const struct path *at)
{
    struct mount *m;
    int err = mount_of(at, &m);
    if (err < 0) {
        return err;
    }
    bool bind = (flags & ABI_MS_BIND) != 0, ro = (flags & ABI_MS_RDONLY) != 0;
    if (ro && (bind ? m->writers > 0 : sb_writers(m->sb) > 0)) {
        return -EBUSY;
    }
    if (!bind && m->sb->type->remount != NULL) {
        err = m->sb->type->remount(m->sb, options);
        if (err < 0) {
            return err;
        }
    }
    if (!bind) {
        m->sb->rdonly = ro;
    }
    if ((flags & ATIME_FLAGS) == 0) {
        flags |= m->flags & ATIME_FLAGS; /* not mentioned: as it was */
    }
    m->flags = kept_flags(flags);
    mount_changed();
    return 0;
}

static int mount_move(const char *source, const struct path *at)
{
    struct path from;
    struct mount *m;
    int err = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &from);
    if (err < 0) {
        return err;
    }
    err = mount_of(&from, &m);
    bool shared = at->mnt->group != 0;
    if (err == 0 &&
        ((m->parent != NULL && m->parent->group != 0) || (shared && mount_holds_unbindable(m)))) {
        err = -EINVAL;
    }
    if (err == 0) {
        struct path back = {.mnt = m->parent, .dentry = m->mountpoint};
        bool root = m->parent == NULL;
        back = root ? back : path_ref(back);
        err = mount_reattach(m, at);
        if (err == 0) {
            err = spread(m, mount_next_id());
            if (err < 0) {
                mount_reattach(m, &back);
            }
        }
        if (!root) {
            path_unref(back);
        }
    }
    path_unref(from);
    return err;
}

static int mount_do(const char *source, const char *type, const char *options, unsigned flags,
                    const struct path *at)
{
    unsigned propagation = flags & PROPAGATION;
    if ((flags & ABI_MS_REMOUNT) != 0) {
        return mount_change(options, flags, at);
    }
    if ((flags & ABI_MS_BIND) != 0) {
        return source[0] != 0 ? mount_bind(source, at, (flags & ABI_MS_REC) != 0) : -EINVAL;
    }
    if (propagation != 0) {
        struct mount *m;
        if ((propagation & (propagation - 1)) != 0 ||
            (flags & ~(PROPAGATION | ABI_MS_REC | ABI_MS_SILENT)) != 0) {
            return -EINVAL;
        }
        int err = mount_of(at, &m);
        if (err == 0) {
            mount_set_kind(m, propagation, (flags & ABI_MS_REC) != 0);
        }
        return err;
    }
    if ((flags & ABI_MS_MOVE) != 0) {
        return source[0] != 0 ? mount_move(source, at) : -EINVAL;
    }
    return type != NULL ? mount_new(type, source, options, flags, at) : -EINVAL;
}

/* A string that may be missing (NULL pointer): then "". */
static int optional_name(uint64_t uaddr, char **out)
{
    if (uaddr != 0) {
        return name_get(uaddr, out);
    }
    char *s = mb_alloc(1);
    if (s == NULL) {
        return -ENOMEM;
    }
    s[0] = 0;
    *out = s;
    return 0;
}

long sys_mount(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[3];
    char *name[3] = {NULL, NULL, NULL}; /* source, type, options */
    const uint64_t from[3] = {a[0], a[2], a[4]};
    struct path at;
    int err = 0;

    if ((flags & 0xffff0000u) == 0xc0ed0000u) {
        flags &= 0xffff; /* the magic number of old programs */
    }
    for (int i = 0; i < 3 && err == 0; i++) {
        err = optional_name(from[i], &name[i]);
    }
    if (err == 0) {
        err = path_lookup_user(AT_FDCWD, a[1], LOOKUP_FOLLOW, &at);
        if (err == 0) {
            err = capable(CAP_SYS_ADMIN)
                      ? mount_do(name[0], a[2] != 0 ? name[1] : NULL, name[2], flags, &at)
                      : -EPERM;
            path_unref(at);
        }
    }
    for (int i = 0; i < 3; i++) {
        if (name[i] != NULL) {
            name_put(name[i]);
        }
    }
    return err;
}

long sys_umount2(const uint64_t a[6])
{
    unsigned flags = (unsigned)a[1];
    struct path p;
    struct mount *m;
    bool expire = (flags & ABI_MNT_EXPIRE) != 0;
    if ((flags & ~(ABI_MNT_FORCE | ABI_MNT_DETACH | ABI_MNT_EXPIRE | ABI_UMOUNT_NOFOLLOW)) != 0 ||
        (expire && (flags & (ABI_MNT_FORCE | ABI_MNT_DETACH)) != 0)) {
        return -EINVAL;
    }
    unsigned lookup = LOOKUP_KEEP_EXPIRY | ((flags & ABI_UMOUNT_NOFOLLOW) != 0 ? 0 : LOOKUP_FOLLOW);
    int err = path_lookup_user(AT_FDCWD, a[0], lookup, &p);
    if (err < 0) {
        return err;
    }
    err = capable(CAP_SYS_ADMIN) ? mount_of(&p, &m) : -EPERM;
    path_unref(p); /* the tree holds the mount; nothing sleeps from here to the end */
    if (err == 0 && expire && m->refs == 1 && !m->expired) {
        m->expired = true; /* the next one, if nobody used it meanwhile */
        return -EAGAIN;
    }
    return err < 0 ? err : mount_remove(m, (flags & ABI_MNT_DETACH) != 0);
}

/* Files are in memory; what was written to disks is made safe. */
long sys_sync(const uint64_t a[6])
{
    if (vfs_block != NULL) {
        vfs_block->sync();
    }
    return 0;
}
