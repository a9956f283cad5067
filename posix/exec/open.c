/* Opening the file of execve and execveat. */
#include "exec/exec_int.h"

#include "fd/fd_int.h"
#include "linux_abi.h"
#include "path/path.h"

int exec_open(int dirfd, const char *name, unsigned flags, struct file **out)
{
    struct path p;
    unsigned lookup = (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
                      (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    int err = path_lookup(dirfd, name, lookup, &p);
    if (err < 0) {
        return err;
    }
    struct inode *ino = p.dentry->inode;
    if (S_ISLNK(ino->mode)) {
        err = -ELOOP;
    } else if (!S_ISREG(ino->mode) || (p.mnt->flags & ABI_MS_NOEXEC)) {
        err = -EACCES;
    } else {
        err = inode_permission(ino, MAY_EXEC);
    }
    if (err < 0) {
        path_unref(p);
        return err;
    }
    return file_open_path(p, O_RDONLY, out);
}
