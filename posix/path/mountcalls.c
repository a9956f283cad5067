/* mount, umount2, sync; and the text of /proc/mounts. */
#include "include/sys.h"
#include "path/path.h"

#include <stdio.h>
#include <string.h>

#define KEPT_FLAGS (ABI_MS_RDONLY | ABI_MS_NOSUID | ABI_MS_NODEV | ABI_MS_NOEXEC | ABI_MS_NOATIME)

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
    return mount_add(sb, sb->root, at, source[0] != 0 ? source : "none", flags, NULL);
}

static int mount_bind(const char *source, const struct path *at)
{
    struct path from;
    int err = path_lookup(AT_FDCWD, source, LOOKUP_FOLLOW, &from);
    if (err < 0) {
        return err;
    }
    if (S_ISDIR(from.dentry->inode->mode) != S_ISDIR(at->dentry->inode->mode)) {
        err = -ENOTDIR;
    } else {
        from.mnt->sb->refs++;
        err = mount_add(from.mnt->sb, from.dentry, at, from.mnt->source, from.mnt->flags, NULL);
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

static int mount_do(const char *source, const char *type, const char *options, unsigned flags,
                    const struct path *at)
{
    if ((flags & ABI_MS_REMOUNT) != 0) {
        struct mount *m;
        int err = mount_of(at, &m);
        if (err == 0) {
            m->flags = flags & KEPT_FLAGS;
        }
        return err;
    }
    if ((flags & ABI_MS_BIND) != 0) {
        return mount_bind(source, at);
    }
    if ((flags & (ABI_MS_SHARED | ABI_MS_PRIVATE | ABI_MS_SLAVE | ABI_MS_UNBINDABLE)) != 0) {
        return 0; /* there is one namespace: nothing to propagate */
    }
    if ((flags & ABI_MS_MOVE) != 0) {
        return -EINVAL;
    }
    return mount_new(type, source, options, flags & KEPT_FLAGS, at);
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

    if (!capable(CAP_SYS_ADMIN)) {
        return -EPERM;
    }
    if ((flags & 0xffff0000u) == 0xc0ed0000u) {
        flags &= 0xffff; /* the magic number of old programs */
    }
    for (int i = 0; i < 3 && err == 0; i++) {
        err = optional_name(from[i], &name[i]);
    }
    if (err == 0) {
        err = path_lookup_user(AT_FDCWD, a[1], LOOKUP_FOLLOW, &at);
        if (err == 0) {
            err = mount_do(name[0], name[1], name[2], flags, &at);
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
    if ((flags & ~(ABI_MNT_FORCE | ABI_MNT_DETACH | ABI_MNT_EXPIRE | ABI_UMOUNT_NOFOLLOW)) != 0) {
        return -EINVAL;
    }
    if (!capable(CAP_SYS_ADMIN)) {
        return -EPERM;
    }
    unsigned lookup = (flags & ABI_UMOUNT_NOFOLLOW) != 0 ? 0 : LOOKUP_FOLLOW;
    int err = path_lookup_user(AT_FDCWD, a[0], lookup, &p);
    if (err < 0) {
        return err;
    }
    err = mount_of(&p, &m);
    path_unref(p); /* the tree holds the mount; nothing sleeps from here to the end */
    if (err == 0 && (flags & ABI_MNT_EXPIRE) != 0) {
        err = -EAGAIN;
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

/* Spaces and the like as in fstab: \040. */
static size_t put_escaped(char *buf, size_t n, size_t at, const char *text)
{
    for (; *text != 0; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == ' ' || c == '\t' || c == '\n' || c == '\\') {
            at += (size_t)snprintf(at < n ? buf + at : NULL, at < n ? n - at : 0, "\\%03o", c);
        } else {
            if (at + 1 < n) {
                buf[at] = (char)c;
            }
            at++;
        }
    }
    return at;
}

/* Like snprintf: the length it wants. */
size_t mount_text(char *buf, size_t n)
{
    const struct path *root = &fsctx_now()->root;
    size_t at = 0;
    char *path = mb_alloc(PATH_MAX);
    if (path == NULL) {
        return 0;
    }
    for (const struct mount *m = mount_list; m != NULL; m = m->next) {
        bool reachable;
        struct path p = {.mnt = (struct mount *)m, .dentry = m->root};
        if (path_text(p, root, path, PATH_MAX, &reachable) < 0 || !reachable) {
            continue;
        }
        at = put_escaped(buf, n, at, m->source);
        at = put_escaped(buf, n,
                         at + (size_t)snprintf(at < n ? buf + at : NULL, at < n ? n - at : 0, " "),
                         path);
        unsigned f = m->flags;
        at += (size_t)snprintf(
            at < n ? buf + at : NULL, at < n ? n - at : 0, " %s %s%s%s%s%s 0 0\n",
            m->sb->type->name, (f & ABI_MS_RDONLY) != 0 ? "ro" : "rw",
            (f & ABI_MS_NOSUID) != 0 ? ",nosuid" : "", (f & ABI_MS_NODEV) != 0 ? ",nodev" : "",
            (f & ABI_MS_NOEXEC) != 0 ? ",noexec" : "",
            (f & ABI_MS_NOATIME) != 0 ? ",noatime" : ",relatime");
    }
    mb_free(path);
    return at;
}
