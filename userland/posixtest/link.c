/*
 * Names of files: link, unlink, rename, mkdir, rmdir, and the counts of links.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

#define NOREPLACE 1
#define EXCHANGE 2

static int links(const char *path)
{
    struct stat st;

    OK(lstat(path, &st));
    return (int)st.st_nlink;
}

static void hard_links(void)
{
    struct stat a, b;

    write_file("f", "text");
    OK(link("f", "g"));
    EQ(links("f"), 2);
    OK(stat("f", &a));
    OK(stat("g", &b));
    EQ(a.st_ino, b.st_ino);
    OK(unlink("f"));
    EQ(links("g"), 1);
    expect_file("g", "text");
    ERR(link("none", "h"), ENOENT);
    ERR(link("g", "g"), EEXIST);
    ERR(link("g", "none/h"), ENOENT);
    OK(mkdir("d", 0700));
    ERR(link("d", "e"), EPERM);
    ERR(link("g", "d"), EEXIST);
}

static void links_to_symlinks(void)
{
    write_file("f", "");
    OK(symlink("f", "s"));
    OK(link("s", "t")); /* the link itself gets another name */
    EQ(links("s"), 2);
    EQ(links("f"), 1);
    OK(linkat(AT_FDCWD, "s", AT_FDCWD, "u", AT_SYMLINK_FOLLOW));
    EQ(links("f"), 2);
    ERR(linkat(AT_FDCWD, "s", AT_FDCWD, "v", 0x10000000), EINVAL);
}

static void folder_links(void)
{
    OK(mkdir("d", 0700));
    EQ(links("d"), 2);
    OK(mkdir("d/a", 0700));
    OK(mkdir("d/b", 0700));
    write_file("d/f", "");
    EQ(links("d"), 4);
    OK(rename("d/a", "a"));
    EQ(links("d"), 3);
    OK(rmdir("d/b"));
    EQ(links("d"), 2);
}

static void unlink_rules(void)
{
    ERR(unlink("none"), ENOENT);
    ERR(unlink(""), ENOENT);
    OK(mkdir("d", 0700));
    ERR(unlink("d"), EISDIR);
    ERR(unlink("d/."), EISDIR);
    write_file("f", "");
    ERR(unlink("f/"), ENOTDIR);
    OK(symlink("d", "s"));
    OK(unlink("s"));
    OK(unlink("f"));
    ERR(unlink("f"), ENOENT);
    ERR(unlinkat(AT_FDCWD, "d", 0x10), EINVAL);
}

static void mkdir_rules(void)
{
    struct stat st;

    umask(027);
    OK(mkdir("d", 0777));
    OK(stat("d", &st));
    EQ(st.st_mode, S_IFDIR | 0750);
    ERR(mkdir("d", 0700), EEXIST);
    ERR(mkdir("none/d", 0700), ENOENT);
    ERR(mkdir("/", 0700), EEXIST);
    ERR(mkdir(".", 0700), EEXIST);
    ERR(mkdir("d/..", 0700), EEXIST);
    OK(mkdir("e/", 0700));
    OK(symlink("nowhere", "s"));
    ERR(mkdir("s", 0700), EEXIST);
}

static void rmdir_rules(void)
{
    ERR(rmdir("none"), ENOENT);
    write_file("f", "");
    ERR(rmdir("f"), ENOTDIR);
    OK(mkdir("d", 0700));
    write_file("d/f", "");
    ERR(rmdir("d"), ENOTEMPTY);
    ERR(rmdir("d/."), EINVAL);
    ERR(rmdir("d/.."), ENOTEMPTY);
    OK(unlink("d/f"));
    OK(symlink("d", "s"));
    ERR(rmdir("s"), ENOTDIR);
    OK(rmdir("d/"));
    ERR(rmdir("d"), ENOENT);
}

static void rename_files(void)
{
    struct stat a, b;

    write_file("f", "f");
    write_file("g", "g");
    OK(stat("f", &a));
    OK(rename("f", "g"));
    OK(stat("g", &b));
    EQ(a.st_ino, b.st_ino);
    expect_file("g", "f");
    ERR(stat("f", &a), ENOENT);
    OK(rename("g", "g"));
    ERR(rename("none", "x"), ENOENT);
    ERR(rename("g", "none/x"), ENOENT);
    ERR(rename("", "x"), ENOENT);
    OK(link("g", "h"));
    OK(rename("g", "h")); /* two names of one file: nothing happens */
    EQ(links("g"), 2);
    EQ(links("h"), 2);
}

static void rename_open_target(void)
{
    char c;
    int fd;

    write_file("f", "f");
    write_file("g", "g");
    fd = OK(open("g", O_RDONLY));
    OK(rename("f", "g"));
    EQ(read(fd, &c, 1), 1);
    EQ(c, 'g');
}

static void rename_folders(void)
{
    write_file("f", "");
    OK(mkdir("d", 0700));
    OK(mkdir("e", 0700));
    OK(mkdir("d/sub", 0700));
    ERR(rename("f", "d"), EISDIR);
    ERR(rename("d", "f"), ENOTDIR);
    ERR(rename("e", "d"), ENOTEMPTY);
    OK(rename("d", "e")); /* over an empty folder */
    EQ(links("e"), 3);
    ERR(rename("e", "e/sub/x"), EINVAL);
    ERR(rename("e", "e/x"), EINVAL);
    ERR(rename("e/sub", "e"), ENOTEMPTY);
    ERR(rename(".", "x"), EBUSY);
    ERR(rename("e/..", "x"), EBUSY);
    ERR(rename("e", "e/."), EBUSY);
    ERR(rename("f", "x/"), ENOTDIR);
    OK(rename("e", "y/"));
    OK(mkdir("z", 0700));
    OK(rename("y/sub", "z/sub")); /* its .. is z now */
    OK(chdir("z/sub"));
    OK(access("../sub", F_OK));
    ERR(access("../y", F_OK), ENOENT);
}

static void rename_symlinks(void)
{
    struct stat st;

    write_file("f", "f");
    OK(symlink("f", "s"));
    OK(symlink("nowhere", "t"));
    OK(rename("s", "u"));
    OK(lstat("u", &st));
    CHECK(S_ISLNK(st.st_mode));
    OK(rename("f", "t")); /* replaces the link, does not follow it */
    OK(lstat("t", &st));
    CHECK(S_ISREG(st.st_mode));
}

static void rename_flags(void)
{
    write_file("f", "f");
    write_file("g", "g");
    ERR(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "g", NOREPLACE), EEXIST);
    OK(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "h", NOREPLACE));
    expect_file("h", "f");
    OK(syscall(SYS_renameat2, AT_FDCWD, "g", AT_FDCWD, "h", EXCHANGE));
    expect_file("h", "g");
    expect_file("g", "f");
    OK(mkdir("d", 0700));
    OK(mkdir("d/sub", 0700));
    OK(syscall(SYS_renameat2, AT_FDCWD, "d", AT_FDCWD, "g", EXCHANGE));
    expect_file("d", "f");
    EQ(links("g"), 3);
    ERR(syscall(SYS_renameat2, AT_FDCWD, "g", AT_FDCWD, "none", EXCHANGE), ENOENT);
    ERR(syscall(SYS_renameat2, AT_FDCWD, "g", AT_FDCWD, "h", NOREPLACE | EXCHANGE), EINVAL);
    ERR(syscall(SYS_renameat2, AT_FDCWD, "g", AT_FDCWD, "h", 0x100), EINVAL);
}

static void mount_tmpfs(void)
{
    struct stat a, b;
    extern int mount(const char *, const char *, const char *, unsigned long, const void *);
    extern int umount2(const char *, int);

    if (geteuid() != 0) {
        SKIP("needs root");
    }
    OK(mkdir("m", 0700));
    OK(stat(".", &a));
    OK(mount("none", "m", "tmpfs", 0, NULL));
    OK(stat("m", &b));
    CHECK(a.st_dev != b.st_dev);
    EQ(b.st_mode & 0777, 0777);
    write_file("m/f", "inside");
    ERR(rename("m/f", "f"), EXDEV);
    ERR(link("m/f", "f"), EXDEV);
    ERR(rmdir("m"), EBUSY);
    OK(stat("m/..", &b));
    EQ(a.st_ino, b.st_ino);
    int fd = OK(open("m/f", O_RDONLY));
    ERR(umount2("m", 0), EBUSY);
    OK(close(fd));
    OK(umount2("m", 0));
    ERR(access("m/f", F_OK), ENOENT);
    ERR(umount2("m", 0), EINVAL);
    ERR(mount("none", "m", "no-such-fs", 0, NULL), ENODEV);
    ERR(mount("none", "nowhere", "tmpfs", 0, NULL), ENOENT);
    OK(rmdir("m"));
}

const struct test link_tests[] = {
    {"hard", hard_links},
    {"to_symlinks", links_to_symlinks},
    {"folder_counts", folder_links},
    {"unlink", unlink_rules},
    {"mkdir", mkdir_rules},
    {"rmdir", rmdir_rules},
    {"rename_files", rename_files},
    {"rename_open_target", rename_open_target},
    {"rename_folders", rename_folders},
    {"rename_symlinks", rename_symlinks},
    {"rename_flags", rename_flags},
    {"mount_tmpfs", mount_tmpfs},
    {0},
};
