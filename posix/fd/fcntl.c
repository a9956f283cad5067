/* fcntl and ioctl: what is the same for all files; the rest goes to the file or to its locks. */
#include "fd/fd_int.h"
#include "fs/seal.h"

#include <asm/ioctls.h>
#include <asm/sockios.h>
#include <linux/fs.h>

#define SETFL_BITS (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

static long dup_from(struct file *f, uint64_t min, bool cloexec)
{
    if (min >= current->proc->rlimit[ABI_RLIMIT_NOFILE][0] || min > INT32_MAX) {
        return -EINVAL;
    }
    return fd_install(file_ref(f), (int)min, cloexec);
}

static long set_flags(int fd, struct file *f, unsigned flags)
{
    if ((flags & O_NOATIME) != 0 && (f->flags & O_NOATIME) == 0 && !inode_owned(f->inode)) {
        return -EPERM;
    }
    if (((flags ^ f->flags) & FASYNC) != 0 && f->ops->tells) {
        int err = async_set(fd, f, (flags & FASYNC) != 0);
        if (err < 0) {
            return err;
        }
    }
    f->flags = (f->flags & ~(unsigned)SETFL_BITS) | (flags & SETFL_BITS);
    return 0;
}

static long fcntl_file(int fd, struct file *f, int cmd, uint64_t arg)
{
    switch (cmd) {
    case F_DUPFD:
        return dup_from(f, arg, false);
    case F_DUPFD_CLOEXEC:
        return dup_from(f, arg, true);
    case F_GETFD:
        return fd_cloexec(fd) ? FD_CLOEXEC : 0;
    case F_SETFD:
        fd_set_cloexec(fd, (arg & FD_CLOEXEC) != 0);
        return 0;
    case F_GETFL:
        return (long)f->flags;
    default:
        break;
    }
    if ((f->flags & O_PATH) != 0) {
        return -EBADF;
    }
    switch (cmd) {
    case F_SETFL:
        return set_flags(fd, f, (unsigned)arg);
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return lock_fcntl(fd, f, cmd, arg);
    case F_SETLEASE:
    case F_GETLEASE:
        return lease_fcntl(fd, f, cmd, arg);
    case F_ADD_SEALS:
        return seals_add(f, (unsigned)arg);
    case F_GET_SEALS:
        return seals_get(f);
    case F_SETPIPE_SZ:
        return pipe_set_size(f, (uint32_t)arg);
    case F_GETPIPE_SZ:
        return pipe_get_size(f);
    default:
        return async_fcntl(f, cmd, arg);
    }
}

long sys_fcntl(const uint64_t a[6])
{
    struct file *f = fd_get_path((int)a[0]);
    if (f == NULL) {
        return -EBADF;
    }
    long result = fcntl_file((int)a[0], f, (int)a[1], a[2]);
    file_unref(f);
    return result;
}

/* FICLONE: no file system here shares blocks between files. */
static long no_clone(const struct file *to, int fd)
{
    const struct file *from = fd_peek(fd);
    if (from == NULL || (from->flags & O_PATH) != 0) {
        return -EBADF;
    }
    if (from->inode->sb != to->inode->sb) {
        return -EXDEV;
    }
    if (S_ISDIR(from->inode->mode) || S_ISDIR(to->inode->mode)) {
        return -EISDIR;
    }
    if (!S_ISREG(from->inode->mode) || !S_ISREG(to->inode->mode)) {
        return -EINVAL;
    }
    if (!file_can_read(from) || !file_can_write(to) || (to->flags & O_APPEND) != 0) {
        return -EBADF;
    }
    return -EOPNOTSUPP;
}

static long ioctl_file(int fd, struct file *f, uint32_t cmd, uint64_t arg)
{
    int32_t n;
    int64_t source;
    switch (cmd) {
    case FIOCLEX:
        fd_set_cloexec(fd, true);
        return 0;
    case FIONCLEX:
        fd_set_cloexec(fd, false);
        return 0;
    case FIONBIO:
        if (mb_copy_in(&n, arg, sizeof(n)) < 0) {
            return -EFAULT;
        }
        f->flags = n != 0 ? f->flags | O_NONBLOCK : f->flags & ~(unsigned)O_NONBLOCK;
        return 0;
    case FIOASYNC:
    case FIOSETOWN:
    case SIOCSPGRP:
    case FIOGETOWN:
    case SIOCGPGRP:
        return async_ioctl(fd, f, cmd, arg);
    case FICLONE:
        return no_clone(f, (int)arg);
    case FICLONERANGE:
        return mb_copy_in(&source, arg, sizeof(source)) < 0 ? -EFAULT : no_clone(f, (int)source);
    case FIONREAD:
        if (S_ISREG(f->inode->mode)) {
            int64_t left = f->inode->size - f->pos;
            n = left > INT32_MAX ? INT32_MAX : (int32_t)left;
            return mb_copy_out(arg, &n, sizeof(n));
        }
        break;
    default:
        break;
    }
    return f->ops->ioctl != NULL ? f->ops->ioctl(f, cmd, arg) : -ENOTTY;
}

long sys_ioctl(const uint64_t a[6])
{
    struct file *f = fd_get((int)a[0]);
    if (f == NULL) {
        return -EBADF;
    }
    long result = ioctl_file((int)a[0], f, (uint32_t)a[1], a[2]);
    file_unref(f);
    return result;
}
