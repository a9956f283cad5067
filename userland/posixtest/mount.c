/*
 * Mounts: of folders and files, read-only, moved, taken away; what their flags forbid. All need root.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "test.h"

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

/* m/ with a file system of its own. */
static void tmpfs(const char *where, unsigned long flags)
{
    if (geteuid() != 0) {
        SKIP("needs root");
    }
    OK(mkdir(where, 0755));
    OK(mount("none", where, "tmpfs", flags, "mode=755"));
}

static void bind_folder(void)
{
    struct stat a, b;

    tmpfs("m", 0);
    OK(mkdir("m/d", 0755));
    write_file("m/d/f", "text");
    OK(mkdir("n", 0755));
    OK(mount("m/d", "n", NULL, MS_BIND, NULL));
    expect_file("n/f", "text");
    OK(stat("m/d", &a));
    OK(stat("n", &b));
    EQ(a.st_ino, b.st_ino);
    EQ(a.st_dev, b.st_dev);
    write_file("n/g", "other");
    expect_file("m/d/g", "other");
    ERR(rename("n/g", "m/d/h"), EXDEV); /* the same file system, another mount */
    ERR(link("n/g", "m/d/h"), EXDEV);
    ERR(rmdir("m/d"), ENOTEMPTY);
    ERR(umount("m/d"), EINVAL); /* not a mount */
    ERR(rmdir("n"), EBUSY);
    OK(umount("m")); /* the bind mount does not need it */
    expect_file("n/f", "text");
    OK(umount("n"));
    ERR(umount("n"), EINVAL);
    ERR(mount("none/such", "n", NULL, MS_BIND, NULL), ENOENT);
}

static void bind_file(void)
{
    if (geteuid() != 0) {
        SKIP("needs root");
    }
    write_file("a", "one");
    write_file("b", "two");
    OK(mkdir("d", 0755));
    OK(mount("a", "b", NULL, MS_BIND, NULL));
    expect_file("b", "one");
    ERR(unlink("b"), EBUSY);
    ERR(rename("a", "b"), EBUSY);
    ERR(mount("a", "d", NULL, MS_BIND, NULL), ENOTDIR);
    ERR(mount("d", "a", NULL, MS_BIND, NULL), ENOTDIR);
    OK(umount("b"));
    expect_file("b", "two");
}

static void bind_tree(void)
{
    tmpfs("m", 0);
    OK(mkdir("m/sub", 0755));
    OK(mount("none", "m/sub", "tmpfs", 0, ""));
    write_file("m/sub/f", "deep");
    OK(mkdir("one", 0755));
    OK(mkdir("all", 0755));
    OK(mount("m", "one", NULL, MS_BIND, NULL));
    ERR(access("one/sub/f", F_OK), ENOENT);
    OK(mount("m", "all", NULL, MS_BIND | MS_REC, NULL));
    expect_file("all/sub/f", "deep");
    ERR(umount("all"), EBUSY);
    OK(umount2("all", MNT_DETACH));
    ERR(access("all/sub", F_OK), ENOENT);
    OK(mkdir("m/loop", 0755));
    OK(mount("m", "m/loop", NULL, MS_BIND | MS_REC, NULL)); /* into itself: no endless tree */
    expect_file("m/loop/sub/f", "deep");
    ERR(access("m/loop/loop/sub", F_OK), ENOENT);
    OK(umount2("m", MNT_DETACH));
    OK(umount("one"));
}

static void read_only(void)
{
    struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    struct statfs sf;
    int fd;

    tmpfs("m", 0);
    write_file("m/f", "text");
    OK(mkdir("m/d", 0755));
    OK(mkfifo("m/fifo", 0600));
    fd = OK(open("m/f", O_WRONLY));
    ERR(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
    ERR(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), EBUSY);
    OK(close(fd));
    for (int bind = 0; bind < 2; bind++) {
        unsigned long remount = MS_REMOUNT | (bind ? MS_BIND : 0);
        OK(mount(NULL, "m", NULL, remount | MS_RDONLY, NULL));
        ERR(open("m/f", O_WRONLY), EROFS);
        ERR(open("m/f", O_RDONLY | O_TRUNC), EROFS);
        ERR(open("m/new", O_RDWR | O_CREAT, 0600), EROFS);
        ERR(open("m", O_RDWR | O_TMPFILE, 0600), EROFS);
        OK(close(OK(open("m/f", O_RDONLY | O_CREAT, 0600))));
        OK(close(OK(open("m/fifo", O_RDWR))));
        ERR(mkdir("m/new", 0700), EROFS);
        ERR(mkdir("m/d", 0700), EEXIST);
        ERR(mknod("m/new", S_IFREG | 0600, 0), EROFS);
        ERR(symlink("x", "m/new"), EROFS);
        ERR(link("m/f", "m/new"), EROFS);
        ERR(rename("m/f", "m/new"), EROFS);
        ERR(unlink("m/f"), EROFS);
        ERR(unlink("m/none"), EROFS);
        ERR(rmdir("m/d"), EROFS);
        ERR(truncate("m/f", 1), EROFS);
        ERR(chmod("m/f", 0600), EROFS);
        ERR(chown("m/f", 0, 0), EROFS);
        ERR(utimensat(AT_FDCWD, "m/f", now, 0), EROFS);
        ERR(setxattr("m/f", "trusted.x", "", 0, 0), EROFS);
        ERR(removexattr("m/f", "trusted.x"), EROFS);
        ERR(access("m/f", W_OK), EROFS);
        OK(access("m/f", R_OK));
        OK(access("m/fifo", W_OK));
        OK(statfs("m", &sf));
        CHECK(sf.f_flags & 1);
        OK(mount(NULL, "m", NULL, remount, NULL));
        write_file("m/f", "text");
    }
    OK(umount("m"));
}

/* One mount of a file system is read-only, another not. */
static void read_only_view(void)
{
    tmpfs("m", 0);
    OK(mkdir("v", 0755));
    OK(mount("m", "v", NULL, MS_BIND, NULL));
    OK(mount(NULL, "v", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
    ERR(open("v/f", O_WRONLY | O_CREAT, 0600), EROFS);
    write_file("m/f", "x");
    expect_file("v/f", "x");
    OK(umount("v"));
    OK(umount("m"));
}

static void busy(void)
{
    int fd;

    tmpfs("m", 0);
    write_file("m/f", "text");
    fd = OK(open("m/f", O_RDONLY));
    ERR(umount("m"), EBUSY);
    ERR(umount2("m", 0x100), EINVAL);
    ERR(umount2("m", MNT_EXPIRE | MNT_DETACH), EINVAL);
    ERR(umount2("m", MNT_EXPIRE), EBUSY);
    OK(close(fd));
    OK(chdir("m"));
    ERR(umount("../m"), EBUSY);
    OK(chdir(".."));
    ERR(umount2("m", MNT_EXPIRE), EAGAIN);
    OK(umount2("m", MNT_EXPIRE));
    OK(mount("none", "m", "tmpfs", 0, NULL));
    write_file("m/f", "text");
    fd = OK(open("m/f", O_RDONLY));
    OK(umount2("m", MNT_DETACH));
    ERR(access("m/f", F_OK), ENOENT);
    char c;
    EQ(read(fd, &c, 1), 1); /* what is open stays */
    OK(close(fd));
}

static void moved(void)
{
    tmpfs("m", 0);
    write_file("m/f", "text");
    OK(mkdir("to", 0755));
    OK(mkdir("m/below", 0755));
    OK(mount("m", "m", NULL, MS_BIND, NULL)); /* private: what is shared cannot be moved */
    OK(mount(NULL, "m", NULL, MS_PRIVATE, NULL));
    ERR(mount("m", "m/below", NULL, MS_MOVE, NULL), ELOOP);
    ERR(mount("to", "m", NULL, MS_MOVE, NULL), EINVAL);
    OK(mount("m", "to", NULL, MS_MOVE, NULL));
    expect_file("to/f", "text");
    OK(umount("to"));
    OK(umount("m"));
    ERR(mount(NULL, "to", NULL, MS_PRIVATE, NULL), EINVAL); /* not a mount */
    ERR(mount(NULL, "to", NULL, MS_PRIVATE | MS_SHARED, NULL), EINVAL);
}

static void forbidden(void)
{
    char *argv[] = {"x", NULL};
    int fd;

    tmpfs("m", MS_NOEXEC | MS_NODEV);
    write_file("m/x", "#!/bin/true\n");
    OK(chmod("m/x", 0755));
    ERR(execv("m/x", argv), EACCES);
    ERR(access("m/x", X_OK), EACCES);
    OK(mknod("m/null", S_IFCHR | 0666, 0x103));
    ERR(open("m/null", O_RDONLY), EACCES);
    OK(truncate("m/x", (off_t)page_size()));
    fd = OK(open("m/x", O_RDONLY));
    ERR(mmap(NULL, page_size(), PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0), EPERM);
    void *p = mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    ERR(mprotect(p, page_size(), PROT_READ | PROT_EXEC), EACCES);
    OK(munmap(p, page_size()));
    OK(close(fd));
    OK(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND, NULL));
    OK(close(OK(open("m/null", O_RDONLY))));
    OK(symlink("x", "m/s"));
    if (mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND | MS_NOSYMFOLLOW, NULL) == 0) {
        ERR(open("m/s", O_RDONLY), ELOOP);
        OK(readlink("m/s", (char[8]){0}, 8));
    }
    OK(umount("m"));
}

static void errors(void)
{
    if (geteuid() != 0) {
        ERR(mount("none", ".", "tmpfs", 0, NULL), EPERM);
        ERR(umount("/"), EPERM);
        return;
    }
    OK(mkdir("m", 0755));
    write_file("f", "");
    ERR(mount("none", "m", "no-such-fs", 0, NULL), ENODEV);
    ERR(mount("none", "none", "tmpfs", 0, NULL), ENOENT);
    ERR(mount("none", "f", "tmpfs", 0, NULL), ENOTDIR);
    ERR(mount("none", "m", "tmpfs", 0, "size=nonsense"), EINVAL);
    ERR(mount("none", (char *)8, "tmpfs", 0, NULL), EFAULT);
    ERR(mount(NULL, "m", NULL, MS_REMOUNT, NULL), EINVAL);
    ERR(umount("m"), EINVAL);
    ERR(umount("none"), ENOENT);
    OK(mount("none", "m", "tmpfs", 0, "size=64k"));
    write_file("m/f", "x");
    OK(mount("none", "m", "tmpfs", MS_REMOUNT, "size=128k"));
    ERR(mount("none", "m", "tmpfs", MS_REMOUNT, "size=junk"), EINVAL);
    OK(setresuid(-1, 1000, -1));
    ERR(umount("m"), EPERM);
    OK(setresuid(-1, 0, -1));
    OK(umount("m"));
}

/* A line of mountinfo: its fields, and that it is about this folder. */
static void told(void)
{
    char cwd[512], line[1024], want[600];
    int found = 0, id, up;
    FILE *f;

    tmpfs("a b", MS_NOSUID | MS_NOATIME);
    CHECK(getcwd(cwd, sizeof cwd));
    snprintf(want, sizeof want, "%s/a\\040b", cwd);
    f = fopen("/proc/self/mountinfo", "r");
    CHECK(f);
    while (fgets(line, sizeof line, f)) {
        char root[64], where[600], flags[128], dev[32];
        EQ(sscanf(line, "%d %d %31s %63s %599s %127s", &id, &up, dev, root, where, flags), 6);
        CHECK(strstr(line, " - "));
        if (strcmp(where, want) == 0) {
            found++;
            EQ(strcmp(root, "/"), 0);
            EQ(strcmp(flags, "rw,nosuid,noatime"), 0);
            CHECK(strstr(line, " - tmpfs none rw"));
        }
    }
    fclose(f);
    EQ(found, 1);
    OK(umount("a b"));
}

const struct test mount_tests[] = {
    {"bind_folder", bind_folder},
    {"bind_file", bind_file},
    {"bind_tree", bind_tree},
    {"read_only", read_only},
    {"read_only_view", read_only_view},
    {"busy", busy},
    {"moved", moved},
    {"forbidden", forbidden},
    {"errors", errors},
    {"told", told},
    {NULL, NULL},
};
