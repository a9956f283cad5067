/*
 * Extended attributes: all twelve calls, their errors, and who may use which name space.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "test.h"

/* user.* came late to Linux's tmpfs; trusted.* is root's. */
static const char *space(void)
{
    write_file("f", "");
    if (setxattr("f", "user.probe", "", 0, 0) == 0) {
        OK(removexattr("f", "user.probe"));
        return "user";
    }
    EQ(errno, EOPNOTSUPP);
    if (setxattr("f", "trusted.probe", "", 0, 0) < 0) {
        SKIP("no attributes in this file system, or not for users");
    }
    OK(removexattr("f", "trusted.probe"));
    return "trusted";
}

static const char *name(const char *of, const char *last)
{
    static char text[4][64];
    static unsigned next;
    char *out = text[next++ % 4];

    strcpy(out, of);
    strcat(out, ".");
    return strcat(out, last);
}

static void set_and_get(void)
{
    const char *s = space(), *one = name(s, "one");
    char buf[16];

    ERR(getxattr("f", one, buf, sizeof buf), ENODATA);
    ERR(setxattr("f", one, "x", 1, XATTR_REPLACE), ENODATA);
    OK(setxattr("f", one, "value", 5, 0));
    EQ(getxattr("f", one, buf, sizeof buf), 5);
    EQ(memcmp(buf, "value", 5), 0);
    EQ(getxattr("f", one, NULL, 0), 5);
    ERR(getxattr("f", one, buf, 4), ERANGE);
    ERR(setxattr("f", one, "x", 1, XATTR_CREATE), EEXIST);
    OK(setxattr("f", one, "", 0, XATTR_REPLACE));
    EQ(getxattr("f", one, buf, sizeof buf), 0);
    OK(removexattr("f", one));
    ERR(removexattr("f", one), ENODATA);
}

static void listing(void)
{
    const char *s = space(), *one = name(s, "one"), *two = name(s, "two");
    char buf[128];
    ssize_t n, want = (ssize_t)(strlen(one) + strlen(two) + 2);

    OK(setxattr("f", one, "1", 1, 0));
    OK(setxattr("f", two, "2", 1, 0));
    EQ(listxattr("f", NULL, 0), want);
    ERR(listxattr("f", buf, (size_t)want - 1), ERANGE);
    n = OK(listxattr("f", buf, sizeof buf));
    EQ(n, want);
    for (const char *at = buf; at < buf + n; at += strlen(at) + 1) {
        CHECK(strcmp(at, one) == 0 || strcmp(at, two) == 0);
    }
    OK(removexattr("f", two));
    EQ(listxattr("f", buf, sizeof buf), (long)strlen(one) + 1);
    OK(link("f", "g")); /* they belong to the file, not to its name */
    OK(unlink("f"));
    EQ(getxattr("g", one, buf, sizeof buf), 1);
}

static void by_descriptor(void)
{
    const char *s = space(), *one = name(s, "one");
    char buf[16];
    int fd = OK(open("f", O_RDONLY)), path = OK(open("f", O_PATH)), p[2];

    OK(fsetxattr(fd, one, "abc", 3, 0)); /* the mode of opening does not matter */
    EQ(fgetxattr(fd, one, buf, sizeof buf), 3);
    EQ(flistxattr(fd, NULL, 0), (long)strlen(one) + 1);
    OK(fremovexattr(fd, one));
    ERR(fgetxattr(path, one, buf, sizeof buf), EBADF);
    ERR(fsetxattr(99, one, "", 0, 0), EBADF);
    OK(pipe(p));
    ERR(fsetxattr(p[0], "trusted.x", "", 0, 0), geteuid() == 0 ? EOPNOTSUPP : EPERM);
}

static void errors(void)
{
    static char big[65537], long_name[300] = "user.";
    const char *s = space(), *one = name(s, "one");
    char buf[16];

    memset(long_name + 5, 'n', 290);
    ERR(setxattr("f", one, "", 0, 4), EINVAL);
    ERR(setxattr("f", long_name, "", 0, 0), ERANGE);
    ERR(setxattr("f", "", "", 0, 0), ERANGE);
    ERR(setxattr("f", one, big, sizeof big, 0), E2BIG);
    ERR(setxattr("f", "nothing", "", 0, 0), EOPNOTSUPP);
    ERR(setxattr("f", "no.such", "", 0, 0), EOPNOTSUPP);
    ERR(getxattr("f", "no.such", buf, 1), EOPNOTSUPP);
    ERR(setxattr("f", name(s, ""), "", 0, 0), EINVAL);
    ERR(setxattr("none", one, "", 0, 0), ENOENT);
    ERR(setxattr("f", (char *)8, "", 0, 0), EFAULT);
    ERR(setxattr("f", one, (void *)8, 1, 0), EFAULT);
    OK(setxattr("f", one, "x", 1, 0));
    ERR(getxattr("f", one, (void *)8, 1), EFAULT);
    ERR(listxattr("f", (void *)8, 100), EFAULT);
    ERR(removexattr("f", "no.such"), EOPNOTSUPP);
    OK(setxattr("f", one, big, 65536, 0));
    EQ(getxattr("f", one, big, sizeof big), 65536);
    EQ(listxattr("/proc/self/stat", buf, sizeof buf), 0);
}

static void links(void)
{
    char buf[16];

    space();
    OK(symlink("f", "s"));
    OK(symlink("f/x", "t"));
    if (geteuid() == 0) {
        OK(lsetxattr("s", "trusted.of-link", "1", 1, 0));
        EQ(lgetxattr("s", "trusted.of-link", buf, sizeof buf), 1);
        ERR(getxattr("s", "trusted.of-link", buf, sizeof buf), ENODATA);
        EQ(llistxattr("s", NULL, 0), 16);
        OK(lremovexattr("s", "trusted.of-link"));
    }
    ERR(lsetxattr("s", "user.x", "", 0, 0), EPERM); /* not on links */
    ERR(lgetxattr("s", "user.x", buf, sizeof buf), ENODATA);
    ERR(getxattr("t", "user.x", buf, sizeof buf), ENOTDIR);
}

static void others(void)
{
    char buf[64];

    if (geteuid() != 0) {
        SKIP("needs root");
    }
    OK(chmod(".", 0755));
    space();
    OK(chmod("f", 0644));
    OK(setxattr("f", "trusted.hidden", "1", 1, 0));
    OK(setxattr("f", "security.label", "22", 2, 0));
    EQ(listxattr("f", NULL, 0), 30);
    OK(setresuid(1000, 1000, 1000));
    EQ(listxattr("f", buf, sizeof buf), 15); /* the one they may see */
    EQ(strcmp(buf, "security.label"), 0);
    EQ(getxattr("f", "security.label", buf, sizeof buf), 2);
    ERR(setxattr("f", "security.label", "x", 1, 0), EPERM);
    ERR(removexattr("f", "security.label"), EPERM);
    ERR(getxattr("f", "trusted.hidden", buf, sizeof buf), ENODATA);
    ERR(setxattr("f", "trusted.hidden", "", 0, 0), EPERM);
    ERR(setxattr("f", "user.x", "", 0, 0), EACCES);
}

const struct test xattr_tests[] = {
    {"set_and_get", set_and_get},
    {"list", listing},
    {"by_descriptor", by_descriptor},
    {"errors", errors},
    {"links", links},
    {"others", others},
    {NULL, NULL},
};
