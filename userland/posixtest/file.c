/*
 * What files say about themselves: stat, statx, times, access, folders' contents, devices.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <linux/stat.h>

#include "test.h"

static void stat_fields(void)
{
    struct stat a, b;
    int fd;

    write_file("f", "12345");
    OK(stat("f", &a));
    CHECK(S_ISREG(a.st_mode));
    EQ(a.st_size, 5);
    EQ(a.st_uid, geteuid());
    CHECK(a.st_blksize > 0 && a.st_ino > 0);
    fd = OK(open("f", O_RDONLY));
    OK(fstat(fd, &b));
    EQ(a.st_ino, b.st_ino);
    EQ(a.st_dev, b.st_dev);
    write_file("g", "");
    OK(stat("g", &b));
    CHECK(a.st_ino != b.st_ino);
    OK(symlink("f", "s"));
    OK(stat("s", &b));
    EQ(a.st_ino, b.st_ino);
    OK(lstat("s", &b));
    CHECK(S_ISLNK(b.st_mode) && a.st_ino != b.st_ino);
    EQ(b.st_size, 1);
    EQ(b.st_mode & 0777, 0777);
    ERR(stat("none", &b), ENOENT);
    ERR(stat("f/x", &b), ENOTDIR);
}

static void stat_empty_path(void)
{
    struct stat st;
    int fd;

    write_file("f", "abc");
    fd = OK(open("f", O_RDONLY));
    OK(fstatat(fd, "", &st, AT_EMPTY_PATH));
    EQ(st.st_size, 3);
    ERR(fstatat(fd, "", &st, 0), ENOENT);
    ERR(fstatat(fd, "x", &st, 0), ENOTDIR);
    ERR(fstatat(199, "x", &st, 0), EBADF);
    OK(fstatat(199, "/", &st, 0)); /* not looked at for an absolute path */
    ERR(fstatat(AT_FDCWD, "f", &st, 0x800000), EINVAL);
    OK(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
    CHECK(S_ISDIR(st.st_mode));
}

static void statx_fields(void)
{
    struct statx sx;
    struct stat st;

    write_file("f", "abcd");
    OK(stat("f", &st));
    OK(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_BASIC_STATS, &sx));
    EQ(sx.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
    EQ(sx.stx_size, 4);
    EQ(sx.stx_ino, st.st_ino);
    EQ(sx.stx_mode, st.st_mode);
    EQ(sx.stx_nlink, 1);
    EQ(makedev(sx.stx_dev_major, sx.stx_dev_minor), st.st_dev);
    EQ(sx.stx_mtime.tv_sec, st.st_mtim.tv_sec);
    ERR(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX__RESERVED, &sx), EINVAL);
    ERR(syscall(SYS_statx, AT_FDCWD, "none", 0, STATX_BASIC_STATS, &sx), ENOENT);
}

static void access_checks(void)
{
    write_file("f", "");
    OK(access("f", F_OK));
    OK(access("f", R_OK | W_OK));
    ERR(access("f", X_OK), EACCES); /* not even for root without any x bit */
    OK(chmod("f", 0755));
    OK(access("f", X_OK));
    ERR(access("none", F_OK), ENOENT);
    ERR(access("f", 0100), EINVAL);
    ERR(access("f/x", F_OK), ENOTDIR);
}

static void chmod_chown(void)
{
    struct stat st;
    int fd;

    write_file("f", "");
    OK(chmod("f", 04751));
    OK(stat("f", &st));
    EQ(st.st_mode, S_IFREG | 04751);
    fd = OK(open("f", O_RDONLY));
    OK(fchmod(fd, 0600));
    OK(stat("f", &st));
    EQ(st.st_mode & 07777, 0600);
    ERR(chmod("none", 0600), ENOENT);
    OK(symlink("f", "s"));
    OK(chmod("s", 0640));
    OK(stat("f", &st));
    EQ(st.st_mode & 07777, 0640);
    if (geteuid() != 0) {
        return;
    }
    OK(chmod("f", 06755));
    OK(chown("f", 12, 34));
    OK(stat("f", &st));
    EQ(st.st_uid, 12);
    EQ(st.st_gid, 34);
    EQ(st.st_mode & 07777, 0755); /* s bits do not survive a new owner */
    OK(chown("f", (uid_t)-1, 56));
    OK(stat("f", &st));
    EQ(st.st_uid, 12);
    EQ(st.st_gid, 56);
    OK(lchown("s", 1, 1));
    OK(lstat("s", &st));
    EQ(st.st_uid, 1);
    OK(stat("f", &st));
    EQ(st.st_uid, 12);
    ERR(chown("none", 0, 0), ENOENT);
}

static void write_clears_setuid(void)
{
    struct stat st;
    pid_t pid;
    int fd;

    if (geteuid() != 0) {
        SKIP("needs root");
    }
    write_file("f", "");
    OK(chown("f", 1000, 1000));
    OK(chmod("f", 06777));
    CHILD(pid)
    {
        OK(setgid(1000));
        OK(setuid(1000));
        fd = OK(open("f", O_WRONLY));
        EQ(write(fd, "x", 1), 1);
    }
    wait_ok(pid);
    OK(stat("f", &st));
    EQ(st.st_mode & 06000, 0);
}

static void times(void)
{
    struct timespec t[2] = {{100, 5}, {200, 6}};
    struct stat st;
    int fd;

    write_file("f", "");
    OK(utimensat(AT_FDCWD, "f", t, 0));
    OK(stat("f", &st));
    EQ(st.st_atim.tv_sec, 100);
    EQ(st.st_mtim.tv_sec, 200);
    t[0].tv_nsec = UTIME_OMIT;
    t[1].tv_nsec = UTIME_NOW;
    OK(utimensat(AT_FDCWD, "f", t, 0));
    OK(stat("f", &st));
    EQ(st.st_atim.tv_sec, 100);
    CHECK(labs(st.st_mtim.tv_sec - time(NULL)) < 5);
    t[1].tv_nsec = 1000000000;
    ERR(utimensat(AT_FDCWD, "f", t, 0), EINVAL);
    ERR(utimensat(AT_FDCWD, "none", NULL, 0), ENOENT);
    fd = OK(open("f", O_RDONLY));
    t[0] = t[1] = (struct timespec){300, 0};
    OK(futimens(fd, t));
    OK(fstat(fd, &st));
    EQ(st.st_mtim.tv_sec, 300);
    OK(symlink("f", "s"));
    t[0] = t[1] = (struct timespec){400, 0};
    OK(utimensat(AT_FDCWD, "s", t, AT_SYMLINK_NOFOLLOW));
    OK(stat("s", &st));
    EQ(st.st_mtim.tv_sec, 300);
    OK(lstat("s", &st));
    EQ(st.st_mtim.tv_sec, 400);
}

static void times_change(void)
{
    struct timespec old[2] = {{100, 0}, {100, 0}};
    struct stat st;
    int fd;

    write_file("f", "x");
    OK(mkdir("d", 0700));
    OK(utimensat(AT_FDCWD, "f", old, 0));
    OK(utimensat(AT_FDCWD, "d", old, 0));
    OK(stat("f", &st));
    CHECK(st.st_ctim.tv_sec > 1000); /* of the inode: now */
    fd = OK(open("f", O_WRONLY));
    EQ(write(fd, "y", 1), 1);
    OK(fstat(fd, &st));
    CHECK(st.st_mtim.tv_sec > 1000);
    OK(close(OK(open("d/new", O_WRONLY | O_CREAT, 0600))));
    OK(stat("d", &st));
    CHECK(st.st_mtim.tv_sec > 1000);
    OK(utimensat(AT_FDCWD, "d", old, 0));
    OK(unlink("d/new"));
    OK(stat("d", &st));
    CHECK(st.st_mtim.tv_sec > 1000);
}

/* ---- folders ------------------------------------------------------------------------------- */

struct dent {
    uint64_t ino;
    int64_t off;
    unsigned short reclen;
    unsigned char type;
    char name[];
};

static void list_types(void)
{
    char buf[4096];
    unsigned seen = 0;
    int fd;
    long n;

    write_file("f", "");
    OK(mkdir("d", 0700));
    OK(symlink("f", "s"));
    fd = OK(open(".", O_RDONLY | O_DIRECTORY));
    while ((n = OK(syscall(SYS_getdents64, fd, buf, sizeof buf))) > 0) {
        for (long at = 0; at < n;) {
            struct dent *e = (struct dent *)(buf + at);

            EQ(e->reclen % 8, 0);
            CHECK(e->reclen > 19 && at + e->reclen <= n && e->ino != 0);
            if (strcmp(e->name, "f") == 0) {
                EQ(e->type, DT_REG);
                seen |= 1;
            } else if (strcmp(e->name, "d") == 0) {
                EQ(e->type, DT_DIR);
                seen |= 2;
            } else if (strcmp(e->name, "s") == 0) {
                EQ(e->type, DT_LNK);
                seen |= 4;
            } else if (strcmp(e->name, ".") == 0) {
                seen |= 8;
            } else if (strcmp(e->name, "..") == 0) {
                seen |= 16;
            } else {
                FAIL("unexpected entry %s", e->name);
            }
            at += e->reclen;
        }
    }
    EQ(seen, 31);
    EQ(syscall(SYS_getdents64, fd, buf, sizeof buf), 0);
    EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK(OK(syscall(SYS_getdents64, fd, buf, sizeof buf)) > 0);
}

static void list_errors(void)
{
    char buf[256];
    int fd;

    write_file("f", "");
    fd = OK(open("f", O_RDONLY));
    ERR(syscall(SYS_getdents64, fd, buf, sizeof buf), ENOTDIR);
    ERR(syscall(SYS_getdents64, 199, buf, sizeof buf), EBADF);
    fd = OK(open(".", O_RDONLY));
    ERR(syscall(SYS_getdents64, fd, buf, 4), EINVAL); /* no room for one entry */
    OK(mkdir("d", 0700));
    fd = OK(open("d", O_RDONLY));
    OK(rmdir("d"));
    ERR(syscall(SYS_getdents64, fd, buf, sizeof buf), ENOENT);
}

static int count_entries(DIR *dir)
{
    int n = 0;

    while (readdir(dir)) {
        n++;
    }
    return n;
}

static void list_many(void)
{
    enum { FILES = 600 };
    char name[32];
    DIR *dir;
    struct dirent *e;
    int n = 0;

    OK(mkdir("d", 0700));
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "d/a-file-with-number-%d", i);
        OK(close(OK(open(name, O_WRONLY | O_CREAT | O_EXCL, 0600))));
    }
    dir = opendir("d");
    CHECK(dir);
    EQ(count_entries(dir), FILES + 2);
    rewinddir(dir);
    /* What is removed while one reads must not hide what is still there. */
    while ((e = readdir(dir))) {
        if (e->d_name[0] == 'a') {
            snprintf(name, sizeof name, "d/%.29s", e->d_name);
            OK(unlink(name));
            n++;
        }
    }
    EQ(n, FILES);
    closedir(dir);
    OK(rmdir("d"));
}

static void list_position(void)
{
    char name[16], after[300];
    DIR *dir;
    struct dirent *e;
    long where;

    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "f%d", i);
        write_file(name, "");
    }
    dir = opendir(".");
    CHECK(dir && readdir(dir) && readdir(dir) && readdir(dir));
    where = telldir(dir);
    e = readdir(dir);
    CHECK(e);
    strcpy(after, e->d_name);
    CHECK(readdir(dir));
    seekdir(dir, where);
    e = readdir(dir);
    CHECK(e && strcmp(e->d_name, after) == 0);
    closedir(dir);
}

/* ---- devices ------------------------------------------------------------------------------- */

static void devices(void)
{
    unsigned char buf[64] = {1}, other[64];
    struct stat st;
    int fd = OK(open("/dev/null", O_RDWR));

    EQ(read(fd, buf, 1), 0);
    EQ(write(fd, buf, 64), 64);
    OK(fstat(fd, &st));
    CHECK(S_ISCHR(st.st_mode));
    EQ(st.st_rdev, makedev(1, 3));
    fd = OK(open("/dev/zero", O_RDWR));
    EQ(read(fd, buf, 64), 64);
    EQ(buf[0] | buf[63], 0);
    EQ(write(fd, buf, 64), 64);
    fd = OK(open("/dev/full", O_RDWR));
    ERR(write(fd, buf, 1), ENOSPC);
    EQ(read(fd, buf, 2), 2);
    fd = OK(open("/dev/urandom", O_RDONLY));
    EQ(read(fd, buf, 64), 64);
    EQ(read(fd, other, 64), 64);
    CHECK(memcmp(buf, other, 64) != 0);
    fd = OK(open("/dev/random", O_RDONLY));
    EQ(read(fd, buf, 8), 8);
}

static void ioctl_errors(void)
{
    struct termios t;
    int fd, n = -1;

    write_file("f", "12345");
    fd = OK(open("f", O_RDONLY));
    ERR(tcgetattr(fd, &t), ENOTTY);
    EQ(isatty(fd), 0);
    ERR(ioctl(fd, 0x12345678, &n), ENOTTY);
    ERR(ioctl(199, FIONREAD, &n), EBADF);
    EQ(lseek(fd, 2, SEEK_SET), 2);
    OK(ioctl(fd, FIONREAD, &n));
    EQ(n, 3);
    fd = OK(open("/dev/null", O_RDONLY));
    ERR(tcgetattr(fd, &t), ENOTTY);
}

static void file_system(void)
{
    struct statfs s;
    int fd = OK(open(".", O_RDONLY));

    OK(statfs("/", &s));
    OK(statfs(".", &s));
    EQ(s.f_namelen, 255);
    CHECK(s.f_bsize > 0);
    OK(fstatfs(fd, &s));
    ERR(statfs("none", &s), ENOENT);
    OK(statfs("/proc", &s));
    EQ(s.f_type, 0x9fa0);
    sync();
}

const struct test file_tests[] = {
    {"stat", stat_fields},
    {"stat_empty_path", stat_empty_path},
    {"statx", statx_fields},
    {"access", access_checks},
    {"chmod_chown", chmod_chown},
    {"write_clears_setuid", write_clears_setuid},
    {"times", times},
    {"times_change", times_change},
    {"list_types", list_types},
    {"list_errors", list_errors},
    {"list_many", list_many},
    {"list_position", list_position},
    {"devices", devices},
    {"ioctl_errors", ioctl_errors},
    {"file_system", file_system},
    {0},
};
