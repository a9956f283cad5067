/* What a call that takes (dirfd, name, flags) works on: a path, or with AT_EMPTY_PATH, or for the f*
 * calls, an open file, which may have no path (pipes). */
#ifndef POSIX_PATH_TARGET_H
#define POSIX_PATH_TARGET_H

#include "path/path.h"

struct target {
    struct inode *ino;
    struct mount *mnt; /* NULL: a file without a path */
    struct path path;  /* referenced when file is NULL */
    struct file *file; /* referenced when not NULL */
    bool empty;        /* the name was "" */
};
/* flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
int target_get(int dirfd, uint64_t uname, unsigned flags, struct target *t);
int target_get_fd(int fd, bool path_too, struct target *t);
void target_put(struct target *t);
void target_tell(const struct target *t, uint32_t mask); /* IN_*: by its name, if it has one */

#endif
