/* struct kstat: what stat, statx and the like are filled from.  Times in nanoseconds since 1970. */
#ifndef POSIX_VFS_STAT_H
#define POSIX_VFS_STAT_H

#include <stdint.h>

struct kstat {
    uint64_t dev, ino, rdev;
    uint32_t mode, nlink, uid, gid;
    int64_t size;
    uint64_t blocks; /* of 512 bytes */
    uint32_t blksize;
    int64_t atime, mtime, ctime, btime;
};

#endif
