/*
 * What a user who is not root may not do. Each test runs its checks as user 1000.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
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

const struct test perm_tests[] = {
    {"files", files},
    {"ownership", ownership},
    {"sticky", sticky},
    {"group_rights", group_rights},
    {"owner_first", owner_first},
    {"setgid_folder", setgid_folder},
    {"identity", identity},
    {"signals", signals},
    {0},
};
