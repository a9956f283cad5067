/* The twelve calls of extended attributes, and who may do what with which: xattr(7).
 *
 *      user.*      files and directories, by their mode         security.*   root's, to be seen by all
 *      trusted.*   root's, and invisible for others             system.*     there are none
 */
#include "include/sys.h"
#include "path/target.h"

#include <linux/inotify.h>
#include <linux/xattr.h>
#include <string.h>

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

static int name_in(uint64_t uname, char name[XATTR_NAME_MAX + 1])
{
    long len = mb_str_in(name, uname, XATTR_NAME_MAX + 1);
    return len == -EFAULT ? -EFAULT : len <= 0 ? -ERANGE : 0;
}

/* May the current thread, which wants to read or write (MAY_*) it? */
static int permitted(struct inode *ino, const char *name, unsigned may)
{
    bool write = (may & MAY_WRITE) != 0;
    if (begins(name, XATTR_SECURITY_PREFIX)) {
        if (!write || capable(CAP_SYS_ADMIN)) {
            return 0;
        }
        return strcmp(name, XATTR_CAPS) == 0 && capable(CAP_SETFCAP) ? 0 : -EPERM;
    }
    if (begins(name, XATTR_SYSTEM_PREFIX)) {
        return 0;
    }
    if (begins(name, XATTR_TRUSTED_PREFIX)) {
        return capable(CAP_SYS_ADMIN) ? 0 : write ? -EPERM : -ENODATA;
    }
    if (begins(name, XATTR_USER_PREFIX)) {
        if (!S_ISREG(ino->mode) && !S_ISDIR(ino->mode)) {
            return write ? -EPERM : -ENODATA;
        }
        if (S_ISDIR(ino->mode) && (ino->mode & S_ISVTX) != 0 && write && !inode_owned(ino)) {
            return -EPERM;
        }
    }
    return inode_permission(ino, may);
}

/* Is there such a name space here? */
static int handled(const struct inode *ino, const char *name)
{
    static const char *const prefix[] = {XATTR_USER_PREFIX, XATTR_TRUSTED_PREFIX,
                                         XATTR_SECURITY_PREFIX};
    for (unsigned i = 0; i < sizeof(prefix) / sizeof(prefix[0]); i++) {
        if (begins(name, prefix[i]) && ino->sb != NULL && ino->ops->writable) {
            return name[strlen(prefix[i])] != 0 ? 0 : -EINVAL;
        }
    }
    return -EOPNOTSUPP;
}

/* ---- set ---- */

/* What execve would not understand is not stored. */
static int caps_check(const void *value, size_t n)
{
    uint32_t magic = 0;
    if (n < sizeof(magic)) {
        return -EINVAL;
    }
    memcpy(&magic, value, sizeof(magic));
    magic &= VFS_CAP_REVISION_MASK;
    bool good = (magic == VFS_CAP_REVISION_2 && n == XATTR_CAPS_SZ_2) ||
                (magic == VFS_CAP_REVISION_3 && n == XATTR_CAPS_SZ_3);
    return !good ? -EINVAL : capable(CAP_SETFCAP) ? 0 : -EPERM;
}

static void changed(const struct target *t)
{
    t->ino->ctime = time_realtime_ns();
    target_tell(t, IN_ATTRIB);
}

static long set(const struct target *t, const uint64_t a[6])
{
    char name[XATTR_NAME_MAX + 1];
    uint64_t n = a[3];
    unsigned flags = (unsigned)a[4];
    void *value = NULL;
    if (t->mnt != NULL && mount_rdonly(t->mnt)) {
        return -EROFS;
    }
    if ((flags & ~(unsigned)(XATTR_CREATE | XATTR_REPLACE)) != 0) {
        return -EINVAL;
    }
    int err = name_in(a[1], name);
    if (err < 0) {
        return err;
    }
    if (n > XATTR_SIZE_MAX) {
        return -E2BIG;
    }
    if (n > 0) {
        value = mb_alloc(n);
        if (value == NULL) {
            return -ENOMEM;
        }
        err = mb_copy_in(value, a[2], n);
    }
    if (err == 0 && strcmp(name, XATTR_CAPS) == 0) {
        err = caps_check(value, n);
    }
    err = err < 0 ? err : permitted(t->ino, name, MAY_WRITE);
    err = err < 0 ? err : handled(t->ino, name);
    err = err < 0 ? err : xattr_store(t->ino, name, value, n, flags);
    if (err == 0) {
        changed(t);
    }
    mb_free(value);
    return err;
}

/* ---- get, list, remove ---- */

static long get(const struct target *t, const uint64_t a[6])
{
    char name[XATTR_NAME_MAX + 1];
    uint64_t room = a[3] < XATTR_SIZE_MAX ? a[3] : XATTR_SIZE_MAX;
    int err = name_in(a[1], name);
    err = err < 0 ? err : permitted(t->ino, name, MAY_READ);
    err = err < 0 ? err : handled(t->ino, name);
    if (err < 0) {
        return err;
    }
    long n = xattr_read(t->ino, name, NULL, 0);
    if (n <= 0 || room == 0) {
        return n;
    }
    if ((uint64_t)n > room) {
        return -ERANGE;
    }
    void *value = mb_alloc((size_t)n);
    if (value == NULL) {
        return -ENOMEM;
    }
    xattr_read(t->ino, name, value, (size_t)n);
    err = mb_copy_out(a[2], value, (size_t)n);
    mb_free(value);
    return err < 0 ? err : n;
}

static long list(const struct target *t, const uint64_t a[6])
{
    bool trusted = capable(CAP_SYS_ADMIN);
    size_t n = xattr_names(t->ino, NULL, 0, trusted);
    if (a[2] == 0 || n == 0) {
        return (long)n;
    }
    if (n > a[2]) {
        return -ERANGE;
    }
    if (n > XATTR_LIST_MAX) {
        return -E2BIG;
    }
    char *names = mb_alloc(n);
    if (names == NULL) {
        return -ENOMEM;
    }
    xattr_names(t->ino, names, n, trusted);
    int err = mb_copy_out(a[1], names, n);
    mb_free(names);
    return err < 0 ? err : (long)n;
}

static long remove_(const struct target *t, const uint64_t a[6])
{
    char name[XATTR_NAME_MAX + 1];
    if (t->mnt != NULL && mount_rdonly(t->mnt)) {
        return -EROFS;
    }
    int err = name_in(a[1], name);
    err = err < 0 ? err : permitted(t->ino, name, MAY_WRITE);
    err = err < 0 ? err : handled(t->ino, name);
    err = err < 0 ? err : xattr_drop(t->ino, name);
    if (err == 0) {
        changed(t);
    }
    return err;
}

/* ---- the calls: by name, by name without following a link, by descriptor ---- */

typedef long operation(const struct target *t, const uint64_t a[6]);

static long by_name(const uint64_t a[6], unsigned flags, operation *op)
{
    struct target t;
    long r = target_get(AT_FDCWD, a[0], flags, &t);
    if (r == 0) {
        r = op(&t, a);
        target_put(&t);
    }
    return r;
}

static long by_fd(const uint64_t a[6], operation *op)
{
    struct target t;
    long r = target_get_fd((int)a[0], false, &t);
    if (r == 0) {
        r = op(&t, a);
        target_put(&t);
    }
    return r;
}

#define THREE(verb, op)                             \
    long sys_##verb##xattr(const uint64_t a[6])     \
    {                                               \
        return by_name(a, 0, op);                   \
    }                                               \
    long sys_l##verb##xattr(const uint64_t a[6])    \
    {                                               \
        return by_name(a, AT_SYMLINK_NOFOLLOW, op); \
    }                                               \
    long sys_f##verb##xattr(const uint64_t a[6])    \
    {                                               \
        return by_fd(a, op);                        \
    }

THREE(set, set)
THREE(get, get)
THREE(list, list)
THREE(remove, remove_)
