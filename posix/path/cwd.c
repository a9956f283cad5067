/* Working directory, root directory, umask. */
#include "include/sys.h"
#include "path/target.h"

#include <string.h>

long sys_getcwd(const uint64_t a[6])
{
    const struct fsctx *c = fsctx_now();
    bool reachable;
    char *buf;
    if ((c->cwd.dentry->flags & DENTRY_DELETED) != 0) {
        return -ENOENT;
    }
    buf = mb_alloc(PATH_MAX);
    if (buf == NULL) {
        return -ENOMEM;
    }
    long len = path_text(c->cwd, &c->root, buf, PATH_MAX, &reachable);
    if (len >= 0 && !reachable) {
        static const char tag[] = "(unreachable)";
        size_t tag_len = sizeof(tag) - 1;
        if ((size_t)len + tag_len < PATH_MAX) {
            memmove(buf + tag_len, buf, (size_t)len + 1);
            memcpy(buf, tag, tag_len);
            len += (long)tag_len;
        } else {
            len = -ENAMETOOLONG;
        }
    }
    if (len >= 0) {
        len++; /* the NUL counts */
        if ((uint64_t)len > a[1]) {
            len = -ERANGE;
        } else if (mb_copy_out(a[0], buf, (size_t)len) < 0) {
            len = -EFAULT;
        }
    }
    mb_free(buf);
    return len;
}

static void cwd_set(struct path to) /* takes over the reference */
{
    struct fsctx *c = fsctx_now();
    struct path old = c->cwd;
    c->cwd = to;
    path_unref(old);
}

long sys_chdir(const uint64_t a[6])
{
    struct path p;
    int err = path_lookup_user(AT_FDCWD, a[0], LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);
    if (err < 0) {
        return err;
    }
    err = inode_permission(p.dentry->inode, MAY_EXEC);
    if (err < 0) {
        path_unref(p);
        return err;
    }
    cwd_set(p);
    return 0;
}

long sys_fchdir(const uint64_t a[6])
{
    struct file *f = fd_get_path((int)a[0]);
    if (f == NULL) {
        return -EBADF;
    }
    int err = -ENOTDIR;
    if (f->dentry != NULL && S_ISDIR(f->inode->mode)) {
        err = inode_permission(f->inode, MAY_EXEC);
        if (err == 0) {
            cwd_set(path_ref((struct path){.mnt = f->mnt, .dentry = f->dentry}));
        }
    }
    file_unref(f);
    return err;
}

long sys_chroot(const uint64_t a[6])
{
    struct path p;
    int err = path_lookup_user(AT_FDCWD, a[0], LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);
    if (err < 0) {
        return err;
    }
    err = inode_permission(p.dentry->inode, MAY_EXEC);
    if (err == 0 && !capable(CAP_SYS_CHROOT)) {
        err = -EPERM;
    }
    if (err < 0) {
        path_unref(p);
        return err;
    }
    struct fsctx *c = fsctx_now();
    struct path old = c->root;
    c->root = p;
    path_unref(old);
    return 0;
}

long sys_umask(const uint64_t a[6])
{
    struct fsctx *c = fsctx_now();
    uint32_t old = c->umask;
    c->umask = (uint32_t)a[0] & 0777;
    return (long)old;
}
