/* Structures and constants of the Linux riscv64 ABI that the file layer reads and writes.
 *
 * The uAPI headers are used where they are the same on every machine we compile for; what differs on
 * the x86-64 host (struct stat), or is there only for kernels or only without glibc (S_IFMT ...), is
 * written out here with asserts, so that the same source runs in host tests.
 */
#ifndef POSIX_LINUX_ABI_H
#define POSIX_LINUX_ABI_H

#include <asm/errno.h>
#include <asm/fcntl.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/stat.h>
#include <stddef.h>
#include <stdint.h>

#ifndef S_IFMT
#define S_IFMT 00170000
#define S_IFSOCK 0140000
#define S_IFLNK 0120000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define S_ISUID 0004000
#define S_ISGID 0002000
#define S_ISVTX 0001000
#define S_ISREG(m) (((m)&S_IFMT) == S_IFREG)
#define S_ISDIR(m) (((m)&S_IFMT) == S_IFDIR)
#define S_ISCHR(m) (((m)&S_IFMT) == S_IFCHR)
#define S_ISBLK(m) (((m)&S_IFMT) == S_IFBLK)
#define S_ISLNK(m) (((m)&S_IFMT) == S_IFLNK)
#define S_ISFIFO(m) (((m)&S_IFMT) == S_IFIFO)
#endif
#ifndef S_ISSOCK
#define S_ISSOCK(m) (((m)&S_IFMT) == S_IFSOCK)
#endif
#ifndef S_IXGRP
#define S_IXGRP 00010
#endif

#ifndef SEEK_SET
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#endif
#ifndef SEEK_DATA
#define SEEK_DATA 3
#define SEEK_HOLE 4
#endif

/* access(2) modes; also what a permission check asks for. */
#define MAY_EXEC 1
#define MAY_WRITE 2
#define MAY_READ 4

/* asm/stat.h of riscv64 (asm-generic); the host's is another. */
struct abi_stat {
    uint64_t dev, ino;
    uint32_t mode, nlink, uid, gid;
    uint64_t rdev, pad1;
    int64_t size;
    int32_t blksize, pad2;
    int64_t blocks;
    int64_t atime;
    uint64_t atime_nsec;
    int64_t mtime;
    uint64_t mtime_nsec;
    int64_t ctime;
    uint64_t ctime_nsec;
    uint32_t unused4, unused5;
};
_Static_assert(sizeof(struct abi_stat) == 128, "struct stat layout");
_Static_assert(offsetof(struct abi_stat, size) == 48, "struct stat layout");
_Static_assert(offsetof(struct abi_stat, atime) == 72, "struct stat layout");
_Static_assert(sizeof(struct statx) == 256, "struct statx layout");

struct abi_statfs {
    int64_t type, bsize;
    uint64_t blocks, bfree, bavail, files, ffree;
    int32_t fsid[2];
    int64_t namelen, frsize, flags, spare[4];
};
_Static_assert(sizeof(struct abi_statfs) == 120, "struct statfs layout");

struct abi_dirent { /* linux_dirent64 */
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
};
#define ABI_DIRENT_HEAD 19 /* up to the name */

struct abi_flock {
    int16_t type, whence;
    int32_t pad;
    int64_t start, len;
    int32_t pid, pad2;
};
_Static_assert(sizeof(struct abi_flock) == 32, "struct flock layout");

struct abi_iovec {
    uint64_t base, len;
};
struct abi_timespec {
    int64_t sec, nsec;
};
struct abi_pollfd {
    int32_t fd;
    int16_t events, revents;
};

#define ABI_UTIME_NOW ((1l << 30) - 1l)
#define ABI_UTIME_OMIT ((1l << 30) - 2l)
#define ABI_IOV_MAX 1024
#define ABI_RW_MAX 0x7ffff000ul /* what one read or write moves at most */

/* mount(2), from linux/mount.h, which newer hosts fill with other things. */
#define ABI_MS_RDONLY 1u
#define ABI_MS_NOSUID 2u
#define ABI_MS_NODEV 4u
#define ABI_MS_NOEXEC 8u
#define ABI_MS_REMOUNT 32u
#define ABI_MS_NOSYMFOLLOW 256u
#define ABI_MS_NOATIME 1024u
#define ABI_MS_NODIRATIME 2048u
#define ABI_MS_BIND 4096u
#define ABI_MS_MOVE 8192u
#define ABI_MS_REC 16384u
#define ABI_MS_SILENT 32768u
#define ABI_MS_UNBINDABLE (1u << 17)
#define ABI_MS_PRIVATE (1u << 18)
#define ABI_MS_SLAVE (1u << 19)
#define ABI_MS_SHARED (1u << 20)
#define ABI_MS_RELATIME (1u << 21)
#define ABI_MS_STRICTATIME (1u << 24)
#define ABI_MNT_FORCE 1u
#define ABI_MNT_DETACH 2u
#define ABI_MNT_EXPIRE 4u
#define ABI_UMOUNT_NOFOLLOW 8u
#define ABI_ST_VALID 0x20 /* statfs flags are meant */

/* poll */
#define ABI_POLLIN 0x001u
#define ABI_POLLPRI 0x002u
#define ABI_POLLOUT 0x004u
#define ABI_POLLERR 0x008u
#define ABI_POLLHUP 0x010u
#define ABI_POLLNVAL 0x020u
#define ABI_POLLRDNORM 0x040u
#define ABI_POLLRDBAND 0x080u
#define ABI_POLLWRNORM 0x100u
#define ABI_POLLWRBAND 0x200u
#define ABI_POLLRDHUP 0x2000u

/* signals and limits the file layer knows */
#define ABI_SIGPIPE 13
#define ABI_SIGXFSZ 25
#define ABI_RLIMIT_FSIZE 1
#define ABI_RLIMIT_NPROC 6
#define ABI_RLIMIT_NOFILE 7
#define ABI_RLIMIT_MSGQUEUE 12
#define ABI_RLIM_INFINITY (~0ul)

/* Device numbers as stat shows them, and as mknod takes them. */
static inline uint64_t dev_make(uint32_t major, uint32_t minor)
{
    return (minor & 0xffu) | ((uint64_t)(major & 0xfffu) << 8) | ((uint64_t)(minor & ~0xffu) << 12);
}
static inline uint32_t dev_major(uint64_t dev)
{
    return dev >> 8 & 0xfff;
}
static inline uint32_t dev_minor(uint64_t dev)
{
    return (dev & 0xff) | (dev >> 12 & 0xfff00);
}

#endif
