/*
 * What a user who is not root may not do. Each test runs its checks as user 1000.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

static void need_root(void)
{
    if (geteuid() != 0) {
        SKIP("needs root");
    }
    OK(chmod(".", 0777));
}

static void become(uid_t user)
{
    OK(setgroups(0, NULL));
    OK(setgid(user));
    OK(setuid(user));
}

static void files(void)
{
    need_root();
    write_file("secret", "x");
    OK(chmod("secret", 0600));
    write_file("readable", "x");
    OK(mkdir("private", 0700));
    OK(mkdir("listable", 0744));
    OK(mkdir("passable", 0711));
    write_file("private/f", "");
    write_file("listable/f", "");
    write_file("passable/f", "");
    become(1000);
    ERR(open("secret", O_RDONLY), EACCES);
    ERR(open("readable", O_RDWR), EACCES);
    ERR(open("readable", O_RDONLY | O_TRUNC), EACCES);
    OK(close(OK(open("readable", O_RDONLY))));
    ERR(open("private/f", O_RDONLY), EACCES);
    ERR(open("private", O_RDONLY), EACCES);
    OK(close(OK(open("listable", O_RDONLY))));
    ERR(open("listable/f", O_RDONLY), EACCES);
    ERR(open("passable", O_RDONLY), EACCES);
    OK(close(OK(open("passable/f", O_RDONLY))));
    ERR(chdir("private"), EACCES);
    ERR(access("secret", R_OK), EACCES);
    ERR(open("passable/new", O_WRONLY | O_CREAT, 0600), EACCES);
    ERR(unlink("passable/f"), EACCES);
    ERR(mkdir("passable/d", 0700), EACCES);
    ERR(rename("readable", "passable/r"), EACCES);
    write_file("mine", "");
    OK(chmod("mine", 0));
    ERR(open("mine", O_RDONLY), EACCES);
    OK(chmod("mine", 0600));
}

static void ownership(void)
{
    struct stat st;

    need_root();
    write_file("f", "");
    become(1000);
    ERR(chmod("f", 0777), EPERM);
    ERR(chown("f", 1000, 1000), EPERM);
    ERR(utimensat(AT_FDCWD, "f", (struct timespec[2]){{1, 0}, {1, 0}}, 0), EPERM);
    ERR(utimensat(AT_FDCWD, "f", NULL, 0), EACCES);
    write_file("mine", "");
    OK(stat("mine", &st));
    EQ(st.st_uid, 1000);
    EQ(st.st_gid, 1000);
    ERR(chown("mine", 0, (gid_t)-1), EPERM);
    ERR(chown("mine", (uid_t)-1, 0), EPERM);
    OK(chown("mine", 1000, 1000));
}

static void sticky(void)
{
    need_root();
    OK(mkdir("tmp", 0777));
    OK(chmod("tmp", 01777));
    write_file("tmp/f", "");
    OK(chmod("tmp/f", 0666));
    become(1000);
    ERR(unlink("tmp/f"), EPERM);
    ERR(rename("tmp/f", "tmp/g"), EPERM);
    write_file("tmp/mine", "");
    OK(unlink("tmp/mine"));
}

static void group_rights(void)
{
    gid_t groups[1] = {2000};

    need_root();
    write_file("f", "");
    OK(chown("f", 0, 2000));
    OK(chmod("f", 0060));
    OK(setgroups(1, groups));
    EQ(getgroups(0, NULL), 1);
    OK(setgid(1000));
    OK(setuid(1000));
    OK(close(OK(open("f", O_RDWR))));
}

static void owner_first(void)
{
    need_root();
    write_file("f", "");
    OK(chown("f", 1000, 1000));
    OK(chmod("f", 0077)); /* the owner's bits count for the owner, whatever others may */
    become(1000);
    ERR(open("f", O_RDONLY), EACCES);
}

static void setgid_folder(void)
{
    struct stat st;

    need_root();
    OK(mkdir("d", 0777));
    OK(chown("d", 0, 2000));
    OK(chmod("d", 02777));
    write_file("d/f", "");
    OK(stat("d/f", &st));
    EQ(st.st_gid, 2000);
    OK(mkdir("d/e", 0777));
    OK(stat("d/e", &st));
    EQ(st.st_gid, 2000);
    EQ(st.st_mode & S_ISGID, S_ISGID);
}

static void identity(void)
{
    gid_t group = 0;

    need_root();
    become(1000);
    EQ(getuid(), 1000);
    EQ(geteuid(), 1000);
    EQ(getgid(), 1000);
    EQ(getegid(), 1000);
    ERR(setuid(0), EPERM);
    ERR(setgid(0), EPERM);
    ERR(setgroups(1, &group), EPERM);
    OK(setuid(1000));
    ERR(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, 0), EPERM);
    ERR(setpriority(PRIO_PROCESS, 0, -5), EACCES);
}

static void signals(void)
{
    struct gate ready, end;
    pid_t root_child, pid;

    need_root();
    gate_init(&ready);
    gate_init(&end);
    CHILD(root_child)
    {
        gate_wait(&end);
    }
    CHILD(pid)
    {
        become(1000);
        ERR(kill(root_child, SIGTERM), EPERM);
        ERR(kill(root_child, 0), EPERM);
        ERR(kill(1, SIGCONT), EPERM);
        OK(kill(getpid(), 0));
    }
    wait_ok(pid);
    gate_open(&end);
    wait_ok(root_child);
}

/* ---- /proc/sys/fs/protected_* ---- */

static void other(void)
{
    OK(setgid(2000));
    OK(setuid(2000));
}

static void set_protection(const char *what, const char *value, char *old)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/sys/fs/protected_%s", what);
    int fd = OK(open(path, O_RDWR));
    if (old) {
        old[OK(read(fd, old, 7))] = 0;
    }
    EQ(pwrite(fd, value, strlen(value), 0), strlen(value));
    OK(close(fd));
}

/* In a child, with it set: what fails there is told when it is set back. */
static void protected(const char *what, const char *value, void (*fn)(void))
{
    char old[8];
    pid_t pid;
    set_protection(what, value, old);
    CHILD(pid)
    {
        fn();
    }
    int status = wait_status(pid);
    set_protection(what, old, NULL);
    EQ(status, 0);
}

/* sticky: root's, for all; in it files of user 1000 and of root. */
static void make_sticky(void)
{
    OK(chmod(".", 0755));
    OK(mkdir("sticky", 0700));
    OK(chmod("sticky", 01777));
    OK(mkdir("plain", 0700));
    OK(chmod("plain", 0777));
    write_file("target", "x");
    OK(symlink("../target", "sticky/theirs"));
    OK(lchown("sticky/theirs", 1000, 1000));
    OK(symlink("../target", "sticky/owners"));
    OK(symlink("../target", "plain/theirs"));
    OK(lchown("plain/theirs", 1000, 1000));
    OK(symlink("..", "sticky/up"));
    OK(lchown("sticky/up", 1000, 1000));
    write_file("sticky/file", "x");
    OK(chmod("sticky/file", 0666));
    OK(chown("sticky/file", 1000, 1000));
    OK(mkfifo("sticky/fifo", 0666));
    OK(chmod("sticky/fifo", 0666));
    OK(chown("sticky/fifo", 1000, 1000));
    write_file("set-id", "x");
    OK(chmod("set-id", 04666));
    write_file("unreadable", "x");
    OK(chmod("unreadable", 0600));
    write_file("open", "x");
    OK(chmod("open", 0666));
}

static void links_followed(void)
{
    ERR(open("sticky/theirs", O_RDONLY), EACCES); /* root, too */
    ERR(open("sticky/theirs", O_RDWR | O_CREAT, 0600), EACCES);
    ERR(access("sticky/theirs", R_OK), EACCES);
    OK(open("sticky/owners", O_RDONLY));
    OK(open("plain/theirs", O_RDONLY));
    OK(open("sticky/up/target", O_RDONLY)); /* in the middle of a name */
    ERR(open("sticky/up/", O_RDONLY), EACCES);
    other();
    ERR(open("sticky/theirs", O_RDONLY), EACCES);
    OK(symlink("../target", "sticky/mine"));
    OK(open("sticky/mine", O_RDONLY));
}

static void names_given(void)
{
    OK(link("set-id", "by-root"));
    other();
    ERR(link("set-id", "plain/a"), EPERM);
    ERR(link("unreadable", "plain/a"), EPERM);
    ERR(link("sticky/owners", "plain/a"), EPERM); /* no regular file */
    OK(link("open", "plain/a"));
    write_file("plain/own", "x");
    OK(chmod("plain/own", 0));
    OK(link("plain/own", "plain/b"));
    ERR(link("set-id", "plain/b"), EEXIST);
}

static void files_made(void)
{
    OK(open("sticky/file", O_RDWR));
    ERR(open("sticky/file", O_RDWR | O_CREAT, 0600), EACCES);
    ERR(open("sticky/file", O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
    OK(open("sticky/fifo", O_RDWR | O_CREAT, 0600)); /* has one of its own */
    OK(chmod("sticky", 01775));
    OK(open("sticky/file", O_RDWR | O_CREAT, 0600));
    OK(chmod("sticky", 01777));
    OK(open("plain/new", O_RDWR | O_CREAT, 0600));
    OK(open("plain/new", O_RDWR | O_CREAT, 0600));
}

static void files_made_in_groups(void)
{
    OK(chmod("sticky", 01775));
    ERR(open("sticky/file", O_RDWR | O_CREAT, 0600), EACCES);
    OK(chmod("sticky", 01777));
}

static void fifos_made(void)
{
    ERR(open("sticky/fifo", O_RDWR | O_CREAT, 0600), EACCES);
    OK(open("sticky/file", O_RDWR | O_CREAT, 0600));
}

static void protection(void)
{
    make_sticky();
    protected("symlinks", "1", links_followed);
    protected("hardlinks", "1", names_given);
    protected("regular", "1", files_made);
    protected("regular", "2", files_made_in_groups);
    protected("fifos", "1", fifos_made);
    set_protection("symlinks", "0", NULL);
    OK(open("sticky/theirs", O_RDONLY));
    int fd = OK(open("/proc/sys/fs/protected_symlinks", O_RDWR));
    ERR(write(fd, "2", 1), EINVAL);
    ERR(write(fd, "x", 1), EINVAL);
}

const struct test perm_tests[] = {
    {"files", files},
    {"ownership", ownership},
    {"sticky", sticky},
    {"group_rights", group_rights},
    {"owner_first", owner_first},
    {"setgid_folder", setgid_folder},
    {"identity", identity},
    {"signals", signals},
    {"protection", protection},
    {0},
};
