/*
 * How paths are walked: folders, symbolic links, limits, the working folder.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

static void not_a_dir(void)
{
    struct stat st;

    write_file("f", "");
    ERR(stat("f/.", &st), ENOTDIR);
    ERR(stat("f/..", &st), ENOTDIR);
    ERR(stat("f/", &st), ENOTDIR);
    ERR(mkdir("f/d", 0700), ENOTDIR);
    ERR(unlink("f/x"), ENOTDIR);
    ERR(chdir("f"), ENOTDIR);
    ERR(rename("f/x", "y"), ENOTDIR);
}

static void dots_and_slashes(void)
{
    struct stat a, b;

    OK(mkdir("d", 0700));
    OK(mkdir("d/e", 0700));
    OK(stat(".", &a));
    OK(stat("d/e/../../././/d///..", &b));
    EQ(a.st_ino, b.st_ino);
    OK(stat("/", &a));
    OK(stat("/../../..", &b));
    EQ(a.st_ino, b.st_ino);
    OK(stat("//", &b));
    EQ(a.st_ino, b.st_ino);
    OK(stat("d//e/", &b));
    ERR(stat("none/..", &b), ENOENT);
}

static void name_too_long(void)
{
    static char path[2 * PATH_MAX];
    struct stat st;

    memset(path, 'x', NAME_MAX);
    OK(close(OK(open(path, O_WRONLY | O_CREAT, 0600)))); /* 255 are allowed */
    OK(unlink(path));
    path[NAME_MAX] = 'x';
    ERR(open(path, O_WRONLY | O_CREAT, 0600), ENAMETOOLONG);
    ERR(stat(path, &st), ENAMETOOLONG);
    ERR(mkdir(path, 0700), ENAMETOOLONG);
    for (int i = 0; i < PATH_MAX; i++) {
        path[i] = i % 2 ? '/' : '.';
    }
    path[PATH_MAX - 1] = 0; /* with its NUL just as long as allowed */
    OK(stat(path, &st));
    path[PATH_MAX - 1] = '/';
    ERR(stat(path, &st), ENAMETOOLONG);
}

static void link_loop(void)
{
    struct stat st;

    OK(symlink("b", "a"));
    OK(symlink("a", "b"));
    OK(symlink("self/x", "self"));
    ERR(open("a", O_RDONLY), ELOOP);
    ERR(stat("a", &st), ELOOP);
    ERR(stat("a/x", &st), ELOOP);
    ERR(stat("self", &st), ELOOP);
    ERR(chdir("a"), ELOOP);
    ERR(open("a", O_WRONLY | O_CREAT, 0600), ELOOP);
    OK(lstat("a", &st));
    OK(unlink("a"));
}

static void link_chain(void)
{
    char name[16], target[16];
    struct stat st;

    write_file("l0", "end");
    for (int i = 1; i <= 41; i++) {
        snprintf(name, sizeof name, "l%d", i);
        snprintf(target, sizeof target, "l%d", i - 1);
        OK(symlink(target, name));
    }
    OK(stat("l40", &st)); /* 40 links are followed, not more */
    EQ(st.st_size, 3);
    ERR(stat("l41", &st), ELOOP);
}

static void link_targets(void)
{
    char cwd[PATH_MAX], buf[PATH_MAX];
    struct stat st;

    OK(mkdir("d", 0700));
    write_file("d/f", "x");
    OK(symlink("f", "d/rel")); /* relative to where the link lies */
    OK(stat("d/rel", &st));
    CHECK(getcwd(cwd, sizeof cwd));
    snprintf(buf, sizeof buf, "%.4000s/d", cwd);
    OK(symlink(buf, "abs"));
    OK(stat("abs/f", &st));
    OK(symlink("d/", "slash"));
    OK(stat("slash", &st));
    OK(stat("abs/../d/f", &st));
    OK(symlink("..", "d/up"));
    OK(stat("d/up/d/up/d/f", &st));
    OK(symlink("f/", "d/bad"));
    ERR(stat("d/bad", &st), ENOTDIR);
    OK(lstat("abs/", &st)); /* the slash asks for the folder */
    CHECK(S_ISDIR(st.st_mode));
}

static void link_content(void)
{
    char buf[16];

    OK(symlink("some/where", "s"));
    memset(buf, '#', sizeof buf);
    EQ(readlink("s", buf, sizeof buf), 10);
    CHECK(memcmp(buf, "some/where######", 16) == 0); /* no NUL */
    EQ(readlink("s", buf, 4), 4);
    ERR(syscall(SYS_readlinkat, AT_FDCWD, "s", buf, 0), EINVAL);
    write_file("f", "");
    ERR(readlink("f", buf, sizeof buf), EINVAL);
    ERR(readlink(".", buf, sizeof buf), EINVAL);
    ERR(readlink("none", buf, sizeof buf), ENOENT);
    ERR(symlink("x", "s"), EEXIST);
    ERR(symlink("x", "f"), EEXIST);
    ERR(symlink("", "t"), ENOENT);
    ERR(symlink("x", "none/t"), ENOENT);
}

static void long_link(void)
{
    static char target[PATH_MAX + 1], back[PATH_MAX + 1];

    for (int i = 0; i < PATH_MAX - 1; i++) {
        target[i] = i % 200 == 199 ? '/' : 'y';
    }
    OK(symlink(target, "s"));
    EQ(readlink("s", back, sizeof back), PATH_MAX - 1);
    CHECK(memcmp(target, back, PATH_MAX - 1) == 0);
    target[PATH_MAX - 1] = 'y';
    ERR(symlink(target, "t"), ENAMETOOLONG);
}

static void relative_to_folder(void)
{
    char cwd[PATH_MAX], absolute[PATH_MAX];
    struct stat st;
    int d, f;

    OK(mkdir("d", 0700));
    d = OK(open("d", O_RDONLY | O_DIRECTORY));
    f = OK(openat(d, "f", O_RDWR | O_CREAT, 0600));
    EQ(write(f, "1", 1), 1);
    OK(fstatat(d, "f", &st, 0));
    OK(mkdirat(d, "sub", 0700));
    OK(symlinkat("f", d, "s"));
    OK(linkat(d, "f", d, "g", 0));
    OK(renameat(d, "g", AT_FDCWD, "g"));
    OK(faccessat(d, "s", F_OK, 0));
    OK(unlinkat(d, "s", 0));
    OK(unlinkat(d, "sub", AT_REMOVEDIR));
    ERR(openat(f, "x", O_RDONLY), ENOTDIR);
    ERR(openat(199, "x", O_RDONLY), EBADF);
    ERR(openat(f, "", O_RDONLY), ENOENT);
    CHECK(getcwd(cwd, sizeof cwd));
    snprintf(absolute, sizeof absolute, "%.4000s/g", cwd);
    OK(close(OK(openat(f, absolute, O_RDONLY))));
    /* The folder may be renamed meanwhile. */
    OK(rename("d", "e"));
    OK(close(OK(openat(d, "f", O_RDONLY))));
    OK(stat("e/f", &st));
}

static void working_folder(void)
{
    char start[PATH_MAX], buf[PATH_MAX];
    struct stat st;
    pid_t pid;
    int d;

    CHECK(getcwd(start, sizeof start));
    OK(mkdir("d", 0700));
    d = OK(open("d", O_RDONLY));
    CHILD(pid)
    { /* one process' working folder is its own */
        OK(chdir("d"));
    }
    wait_ok(pid);
    OK(fchdir(d));
    CHECK(getcwd(buf, sizeof buf));
    CHECK(strncmp(buf, start, strlen(start)) == 0 && strcmp(buf + strlen(start), "/d") == 0);
    EQ(syscall(SYS_getcwd, buf, sizeof buf), strlen(buf) + 1);
    ERR(syscall(SYS_getcwd, buf, 3), ERANGE);
    OK(chdir(".."));
    CHECK(getcwd(buf, sizeof buf) && strcmp(buf, start) == 0);
    ERR(chdir("none"), ENOENT);
    ERR(chdir(""), ENOENT);
    OK(chdir("d"));
    OK(rename("../d", "../e"));
    CHECK(getcwd(buf, sizeof buf) && strcmp(buf + strlen(start), "/e") == 0);
    OK(rmdir("../e"));
    ERR(syscall(SYS_getcwd, buf, sizeof buf), ENOENT);
    ERR(open("x", O_WRONLY | O_CREAT, 0600), ENOENT);
    ERR(mkdir("x", 0700), ENOENT);
    OK(stat(".", &st));
    OK(chdir(start));
}

static void deep(void)
{
    enum { DEPTH = 200 };

    for (int i = 0; i < DEPTH; i++) {
        OK(mkdir("a-folder-of-some-length", 0700));
        OK(chdir("a-folder-of-some-length"));
    }
    /* Its path is longer than a path may be. */
    CHECK(!getcwd((char[PATH_MAX]){0}, PATH_MAX));
    write_file("f", "deep");
    expect_file("f", "deep");
    OK(unlink("f"));
    for (int i = 0; i < DEPTH; i++) {
        OK(chdir(".."));
        OK(rmdir("a-folder-of-some-length"));
    }
}

const struct test path_tests[] = {
    {"not_a_dir", not_a_dir},
    {"dots_and_slashes", dots_and_slashes},
    {"name_too_long", name_too_long},
    {"link_loop", link_loop},
    {"link_chain", link_chain},
    {"link_targets", link_targets},
    {"link_content", link_content},
    {"long_link", long_link},
    {"relative_to_folder", relative_to_folder},
    {"working_folder", working_folder},
    {"deep", deep},
    {0},
};
