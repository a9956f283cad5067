/* /proc/sys/fs/protected_*: what others put into a directory that all may write to (/tmp) is not to lead a
 * program where it did not want to go.  All off at first, as on Linux. */
#include "path/path.h"

unsigned path_protected[PROTECT_KINDS];

static bool anybodys(const struct inode *dir)
{
    return (dir->mode & (S_ISVTX | 0002)) == (S_ISVTX | 0002);
}

/* The link, last in its name, is the follower's own, or of who owns the directory. */
int protect_follow(const struct inode *dir, const struct inode *link)
{
    if (path_protected[PROTECT_SYMLINKS] == 0 || link->uid == cred_now()->fsuid || !anybodys(dir)) {
        return 0;
    }
    return dir->uid == link->uid ? 0 : -EACCES;
}

/* A new name only for what is the caller's, or what it may read and write and gains nothing by. */
int protect_link(struct inode *ino)
{
    if (path_protected[PROTECT_HARDLINKS] == 0 || inode_owned(ino)) {
        return 0;
    }
    bool privileged =
        (ino->mode & S_ISUID) != 0 || (ino->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
    if (!S_ISREG(ino->mode) || privileged || inode_permission(ino, MAY_READ | MAY_WRITE) != 0) {
        return -EPERM;
    }
    return 0;
}

/* O_CREAT finds something there: not what others made where they may. */
int protect_create(const struct inode *dir, const struct inode *ino)
{
    unsigned level = S_ISFIFO(ino->mode)  ? path_protected[PROTECT_FIFOS]
                     : S_ISREG(ino->mode) ? path_protected[PROTECT_REGULAR]
                                          : 1; /* of others nobody asks */
    if (level == 0 || (dir->mode & S_ISVTX) == 0 || ino->uid == dir->uid ||
        ino->uid == cred_now()->fsuid) {
        return 0;
    }
    bool group = (dir->mode & 0020) != 0 && level >= 2;
    return (dir->mode & 0002) != 0 || group ? -EACCES : 0;
}
