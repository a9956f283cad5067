/*
 * inotify: what is told of files and directories, in which order, and when a watch ends.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "test.h"

static int in;
static uint32_t cookies[16];

/* What is there, as text: "wd:EVENT name;" */
static const char *events(void)
{
    static const char *const names[] = {
        "ACCESS", "MODIFY", "ATTRIB",      "CLOSE_W",   "CLOSE", "OPEN",    "FROM",     "TO",
        "CREATE", "DELETE", "DELETE_SELF", "MOVE_SELF", "?",     "UNMOUNT", "OVERFLOW", "IGNORED",
    };
    static char text[2000];
    char buf[4096] __attribute__((aligned(8)));
    size_t at = 0, n_cookies = 0;
    ssize_t n = read(in, buf, sizeof buf);

    text[0] = 0;
    for (ssize_t i = 0; i < n;) {
        const struct inotify_event *e = (const void *)(buf + i);

        at += (size_t)snprintf(text + at, sizeof text - at, "%d:", e->wd);
        for (int b = 0; b < 16; b++) {
            if (e->mask >> b & 1) {
                at += (size_t)snprintf(text + at, sizeof text - at, "%s", names[b]);
            }
        }
        at +=
            (size_t)snprintf(text + at, sizeof text - at, "%s%s%s;", e->mask & IN_ISDIR ? "/" : "",
                             e->len ? " " : "", e->len ? e->name : "");
        if (e->cookie && n_cookies < 16) {
            cookies[n_cookies++] = e->cookie;
        }
        i += (ssize_t)(sizeof *e + e->len);
    }
    return text;
}

#define EVENTS(want)                                              \
    do {                                                          \
        const char *got_ = events();                              \
        if (strcmp(got_, want) != 0) {                            \
            FAIL("events: \"%s\" instead of \"%s\"", got_, want); \
        }                                                         \
    } while (0)

static void begin(void)
{
    in = OK(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}

static void directory(void)
{
    int fd;

    begin();
    OK(mkdir("d", 0700));
    EQ(inotify_add_watch(in, "d", IN_ALL_EVENTS), 1);
    fd = OK(open("d/a", O_RDWR | O_CREAT, 0600));
    EQ(write(fd, "xyz", 3), 3);
    OK(close(fd));
    EVENTS("1:CREATE a;1:OPEN a;1:MODIFY a;1:CLOSE_W a;");
    fd = OK(open("d/a", O_RDONLY));
    char c;
    EQ(read(fd, &c, 1), 1);
    OK(close(fd));
    EVENTS("1:OPEN a;1:ACCESS a;1:CLOSE a;");
    OK(chmod("d/a", 0644));
    OK(link("d/a", "d/b"));
    OK(symlink("a", "d/s"));
    OK(mkdir("d/sub", 0700));
    OK(mkfifo("d/fifo", 0600));
    EVENTS("1:ATTRIB a;1:CREATE b;1:CREATE s;1:CREATE/ sub;1:CREATE fifo;");
    OK(unlink("d/b"));
    OK(rmdir("d/sub"));
    EVENTS("1:DELETE b;1:DELETE/ sub;");
    OK(truncate("d/a", 1));
    struct timeval tv[2] = {{1, 0}, {2, 0}};
    OK(utimes("d/a", tv));
    EVENTS("1:MODIFY a;1:ATTRIB a;");
    OK(close(OK(open("d/a", O_WRONLY | O_TRUNC))));
    EVENTS("1:MODIFY a;1:OPEN a;1:CLOSE_W a;");
}

static void moving(void)
{
    begin();
    OK(mkdir("d", 0700));
    OK(mkdir("e", 0700));
    write_file("d/a", "x");
    write_file("e/old", "x");
    EQ(inotify_add_watch(in, "d", IN_MOVE | IN_CREATE | IN_DELETE), 1);
    EQ(inotify_add_watch(in, "e", IN_MOVE | IN_CREATE | IN_DELETE), 2);
    EQ(inotify_add_watch(in, "d/a", IN_MOVE_SELF | IN_DELETE_SELF), 3);
    EQ(inotify_add_watch(in, "e/old", IN_ATTRIB | IN_DELETE_SELF), 4);
    OK(rename("d/a", "d/b"));
    EVENTS("1:FROM a;1:TO b;3:MOVE_SELF;");
    EQ(cookies[0], cookies[1]);
    uint32_t first = cookies[0];
    OK(rename("d/b", "e/old"));
    EVENTS("1:FROM b;2:TO old;4:ATTRIB;3:MOVE_SELF;4:DELETE_SELF;4:IGNORED;");
    EQ(cookies[0], cookies[1]);
    CHECK(cookies[0] != first);
    OK(mkdir("d/sub", 0700));
    OK(rename("d/sub", "e/sub"));
    EVENTS("1:CREATE/ sub;1:FROM/ sub;2:TO/ sub;");
}

static void self(void)
{
    int fd;

    begin();
    write_file("f", "x");
    OK(mkdir("d", 0700));
    EQ(inotify_add_watch(in, "f", IN_ALL_EVENTS), 1);
    EQ(inotify_add_watch(in, "d", IN_ALL_EVENTS), 2);
    OK(rmdir("d"));
    EVENTS("2:DELETE_SELF;2:IGNORED;");
    fd = OK(open("f", O_RDWR));
    OK(unlink("f"));
    EVENTS("1:OPEN;1:ATTRIB;"); /* not gone while it is open */
    EQ(write(fd, "x", 1), 1);
    OK(close(fd));
    EVENTS("1:MODIFY;1:CLOSE_W;1:DELETE_SELF;1:IGNORED;");
    ERR(inotify_rm_watch(in, 1), EINVAL);
}

static void both(void)
{
    begin();
    OK(mkdir("d", 0700));
    write_file("d/a", "x");
    EQ(inotify_add_watch(in, "d", IN_ALL_EVENTS), 1);
    EQ(inotify_add_watch(in, "d/a", IN_ALL_EVENTS), 2);
    OK(chmod("d/a", 0600));
    EVENTS("1:ATTRIB a;2:ATTRIB;");
    OK(unlink("d/a"));
    EVENTS("2:ATTRIB;2:DELETE_SELF;2:IGNORED;1:DELETE a;");
}

static void masks(void)
{
    begin();
    write_file("f", "x");
    OK(symlink("f", "l"));
    ERR(inotify_add_watch(in, "f", 0), EINVAL);
    ERR(inotify_add_watch(in, "none", IN_OPEN), ENOENT);
    ERR(inotify_add_watch(in, "f", IN_OPEN | IN_ONLYDIR), ENOTDIR);
    ERR(inotify_add_watch(in, "f", IN_OPEN | IN_MASK_ADD | 0x10000000), EINVAL);
    ERR(inotify_add_watch(199, "f", IN_OPEN), EBADF);
    ERR(inotify_add_watch(0, "f", IN_OPEN), EINVAL);
    ERR(syscall(SYS_inotify_add_watch, in, NULL, IN_OPEN), EFAULT);
    ERR(inotify_init1(1), EINVAL);
    EQ(inotify_add_watch(in, "f", IN_OPEN), 1);
    EQ(inotify_add_watch(in, "l", IN_OPEN), 1);
    EQ(inotify_add_watch(in, "l", IN_OPEN | IN_DONT_FOLLOW), 2);
    ERR(inotify_add_watch(in, "f", IN_OPEN | 0x10000000), EEXIST); /* IN_MASK_CREATE */
    EQ(inotify_add_watch(in, "f", IN_ATTRIB), 1);                  /* instead of OPEN */
    OK(close(OK(open("f", O_RDONLY))));
    EVENTS("");
    EQ(inotify_add_watch(in, "f", IN_OPEN | IN_MASK_ADD), 1);
    OK(close(OK(open("f", O_RDONLY))));
    OK(chmod("f", 0600));
    EVENTS("1:OPEN;1:ATTRIB;");
    EQ(inotify_add_watch(in, "f", IN_ATTRIB | IN_ONESHOT), 1);
    OK(chmod("f", 0600));
    OK(chmod("f", 0644));
    EVENTS("1:ATTRIB;1:IGNORED;");
    EQ(inotify_add_watch(in, "f", IN_OPEN), 3); /* numbers are not used again soon */
    OK(inotify_rm_watch(in, 3));
    EVENTS("3:IGNORED;");
    ERR(inotify_rm_watch(in, 3), EINVAL);
    ERR(inotify_rm_watch(0, 3), EINVAL);
}

static void excluded(void)
{
    int fd;

    begin();
    OK(mkdir("d", 0700));
    fd = OK(open("d/a", O_RDWR | O_CREAT, 0600));
    EQ(inotify_add_watch(in, "d", IN_MODIFY | IN_EXCL_UNLINK), 1);
    EQ(write(fd, "x", 1), 1);
    OK(unlink("d/a"));
    EQ(write(fd, "x", 1), 1);
    EVENTS("1:MODIFY a;");
}

static void reading(void)
{
    struct pollfd p;
    char buf[64];
    int n;

    begin();
    p = (struct pollfd){in, POLLIN, 0};
    write_file("f", "x");
    EQ(inotify_add_watch(in, ".", IN_ATTRIB), 1);
    EQ(poll(&p, 1, 0), 0);
    ERR(read(in, buf, sizeof buf), EAGAIN);
    for (int i = 0; i < 5; i++) { /* alike: told once */
        OK(chmod("f", 0600));
    }
    EQ(poll(&p, 1, 0), 1);
    OK(ioctl(in, FIONREAD, &n));
    EQ(n, 32);
    ERR(read(in, buf, 31), EINVAL);
    EQ(read(in, buf, sizeof buf), 32);
    EQ(poll(&p, 1, 0), 0);
    ERR(write(in, buf, 1), EBADF);
}

static void blocks(void)
{
    char buf[64];
    int fd = OK(inotify_init());
    pid_t pid;

    write_file("f", "x");
    EQ(inotify_add_watch(fd, "f", IN_ATTRIB), 1);
    CHILD(pid)
    {
        EQ(read(fd, buf, sizeof buf), 16);
    }
    wait_state(pid, 'S');
    OK(chmod("f", 0600));
    wait_ok(pid);
}

static void permission(void)
{
    pid_t pid;

    begin();
    write_file("f", "x");
    OK(chmod("f", 0200));
    if (geteuid() == 0) {
        CHILD(pid)
        {
            OK(setuid(1000));
            ERR(inotify_add_watch(in, "f", IN_OPEN), EACCES);
        }
        wait_ok(pid);
    } else {
        ERR(inotify_add_watch(in, "f", IN_OPEN), EACCES);
    }
}

static void extended_attributes(void)
{
    begin();
    write_file("f", "x");
    EQ(inotify_add_watch(in, ".", IN_ATTRIB), 1);
    EQ(inotify_add_watch(in, "f", IN_ATTRIB), 2);
    OK(setxattr("f", "trusted.a", "x", 1, 0));
    EVENTS("1:ATTRIB f;2:ATTRIB;");
    ERR(setxattr("f", "trusted.a", "x", 1, XATTR_CREATE), EEXIST);
    EVENTS("");
    OK(removexattr("f", "trusted.a"));
    EVENTS("1:ATTRIB f;2:ATTRIB;");
    ERR(removexattr("f", "trusted.a"), ENODATA);
    EVENTS("");
}

const struct test inotify_tests[] = {
    {"directory", directory},
    {"moving", moving},
    {"self", self},
    {"both", both},
    {"masks", masks},
    {"excluded", excluded},
    {"reading", reading},
    {"blocks", blocks},
    {"permission", permission},
    {"extended_attributes", extended_attributes},
    {0},
};
