/*
 * Propagation of mounts: shared, slave, private and unbindable ones. All need root.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static void tmpfs(const char *where)
{
    OK(mount("none", where, "tmpfs", 0, "mode=755"));
}

/* A file system of its own, with the folders a and b, of this kind. */
static void place(const char *where, unsigned long kind)
{
    char path[64];
    if (geteuid() != 0) {
        SKIP("needs root");
    }
    OK(mkdir(where, 0755));
    tmpfs(where);
    snprintf(path, sizeof(path), "%s/a", where);
    OK(mkdir(path, 0755));
    snprintf(path, sizeof(path), "%s/b", where);
    OK(mkdir(path, 0755));
    OK(mount(NULL, where, NULL, kind, NULL));
}

static void bind(const char *from, const char *to, unsigned long rec)
{
    mkdir(to, 0755);
    OK(mount(from, to, NULL, MS_BIND | rec, NULL));
}

static bool is_mount(const char *path)
{
    struct stat a, b;
    char up[64];
    snprintf(up, sizeof(up), "%s/..", path);
    OK(stat(path, &a));
    OK(stat(up, &b));
    return a.st_dev != b.st_dev;
}

/* The field of mountinfo about the newest mount whose path ends so: its number, -1: there is none. */
static int field(const char *path, const char *name)
{
    static char text[65536];
    char line_end[80];
    int n = -1, fd = OK(open("/proc/self/mountinfo", O_RDONLY));
    ssize_t len = 0, got;
    while ((got = OK(read(fd, text + len, sizeof(text) - 1 - len))) > 0) {
        len += got;
    }
    text[len] = 0;
    OK(close(fd));
    snprintf(line_end, sizeof(line_end), "/%s ", path);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *at = strstr(line, line_end), *dash = strstr(line, " - ");
        if (!at || !dash) {
            continue;
        }
        *dash = 0;
        char *found = strstr(at, name);
        n = found ? atoi(found + strlen(name)) : -1;
    }
    return n;
}

static void peers(void)
{
    place("m", MS_SHARED);
    CHECK(field("m", " shared:") > 0);
    bind("m", "n", 0);
    EQ(field("n", " shared:"), field("m", " shared:"));
    tmpfs("m/a");
    CHECK(is_mount("n/a"));
    write_file("m/a/f", "text");
    expect_file("n/a/f", "text");
    CHECK(field("m/a", " shared:") > 0); /* what is mounted on a shared one is shared */
    EQ(field("n/a", " shared:"), field("m/a", " shared:"));
    OK(mkdir("n/a/deep", 0755));
    tmpfs("n/a/deep"); /* and the other way */
    CHECK(is_mount("m/a/deep"));
    OK(umount("m/a/deep"));
    CHECK(!is_mount("n/a/deep"));
    int fd = OK(open("n/a/f", O_RDONLY)); /* used there: it stays everywhere */
    ERR(umount("m/a"), EBUSY);
    CHECK(is_mount("m/a"));
    OK(close(fd));
    OK(umount("n/a"));
    CHECK(!is_mount("m/a"));
    OK(umount("n"));
    tmpfs("m/a");
    CHECK(is_mount("m/a"));
    OK(umount2("m", MNT_DETACH));
}

static void slaves(void)
{
    place("m", MS_SHARED);
    bind("m", "s", 0);
    OK(mount(NULL, "s", NULL, MS_SLAVE, NULL));
    EQ(field("s", " shared:"), -1);
    EQ(field("s", " master:"), field("m", " shared:"));
    tmpfs("m/a");
    CHECK(is_mount("s/a"));
    EQ(field("s/a", " master:"), field("m/a", " shared:"));
    tmpfs("s/b"); /* goes nowhere */
    CHECK(!is_mount("m/b"));
    OK(umount("s/a")); /* nor does that */
    CHECK(is_mount("m/a"));
    OK(umount("m/a"));

    bind("s", "t", 0); /* the same slave twice */
    EQ(field("t", " master:"), field("m", " shared:"));
    OK(mount(NULL, "s", NULL, MS_SHARED, NULL)); /* a slave with peers of its own */
    CHECK(field("s", " shared:") > 0);
    EQ(field("s", " master:"), field("m", " shared:"));
    bind("s", "u", 0);
    tmpfs("m/a");
    CHECK(is_mount("s/a") && is_mount("t/a") && is_mount("u/a"));
    EQ(field("u/a", " shared:"), field("s/a", " shared:"));
    EQ(field("u/a", " master:"), field("m/a", " shared:"));
    OK(umount("m/a"));
    CHECK(!is_mount("s/a") && !is_mount("t/a") && !is_mount("u/a"));
    tmpfs("u/a");
    CHECK(is_mount("s/a") && !is_mount("t/a") && !is_mount("m/a"));
    OK(umount("s/a"));

    OK(umount("s/b"));
    OK(umount2("m", MNT_DETACH)); /* who heard of it hears of nobody any more */
    EQ(field("s", " master:"), -1);
    EQ(field("t", " master:"), -1);
    OK(umount("t"));
    OK(umount("u"));
    OK(umount("s"));
}

static void kinds(void)
{
    place("m", MS_PRIVATE);
    EQ(field("m", " shared:"), -1);
    OK(mount(NULL, "m", NULL, MS_SLAVE, NULL)); /* of nobody */
    EQ(field("m", " master:"), -1);
    bind("m", "n", 0);
    tmpfs("m/a");
    CHECK(!is_mount("n/a"));
    OK(umount("m/a"));
    OK(umount("n"));

    OK(mount(NULL, "m", NULL, MS_SHARED, NULL));
    bind("m", "n", 0);
    OK(mount(NULL, "n", NULL, MS_PRIVATE, NULL));
    EQ(field("n", " shared:"), -1);
    tmpfs("m/a");
    CHECK(!is_mount("n/a"));
    OK(umount("m/a"));
    OK(umount("n"));

    OK(mount(NULL, "m", NULL, MS_UNBINDABLE, NULL));
    CHECK(field("m", " unbindable") >= 0);
    ERR(mount("m", "n", NULL, MS_BIND, NULL), EINVAL);
    ERR(mount(NULL, "m", NULL, MS_SHARED | MS_PRIVATE, NULL), EINVAL);
    ERR(mount(NULL, "m", NULL, MS_SHARED | MS_RDONLY, NULL), EINVAL);
    ERR(mount(NULL, "m/a", NULL, MS_SHARED, NULL), EINVAL); /* no mount */
    ERR(mount(NULL, "m/none", NULL, MS_SHARED, NULL), ENOENT);
    OK(mount(NULL, "m", NULL, MS_PRIVATE, NULL));
    OK(mount("m", "n", NULL, MS_BIND, NULL));
    OK(umount("n"));
    OK(umount("m"));
}

static void trees(void)
{
    place("m", MS_PRIVATE);
    tmpfs("m/a");
    OK(mkdir("m/a/x", 0755));
    tmpfs("m/a/x");
    tmpfs("m/b");
    OK(mount(NULL, "m", NULL, MS_SHARED, NULL));
    EQ(field("m/a", " shared:"), -1); /* it alone */
    OK(mount(NULL, "m", NULL, MS_SHARED | MS_REC, NULL));
    CHECK(field("m/a", " shared:") > 0);
    CHECK(field("m/a/x", " shared:") > 0);
    OK(mount(NULL, "m/b", NULL, MS_UNBINDABLE, NULL));
    bind("m", "n", MS_REC);
    CHECK(is_mount("n/a") && is_mount("n/a/x"));
    CHECK(!is_mount("n/b")); /* not to be bound */
    EQ(field("n/a/x", " shared:"), field("m/a/x", " shared:"));

    OK(mkdir("tree", 0755)); /* a tree arrives as a tree */
    tmpfs("tree");
    OK(mkdir("tree/in", 0755));
    tmpfs("tree/in");
    OK(mkdir("m/a/x/y", 0755));
    OK(mount("tree", "m/a/x/y", NULL, MS_BIND | MS_REC, NULL));
    CHECK(is_mount("n/a/x/y/in"));
    OK(umount2("n/a", MNT_DETACH)); /* goes as one, here */
    CHECK(!is_mount("m/a"));
    OK(umount2("tree", MNT_DETACH));
    OK(umount2("n", MNT_DETACH));
    OK(umount2("m", MNT_DETACH));
}

static void moves(void)
{
    place("m", MS_SHARED);
    bind("m", "n", 0);
    tmpfs("m/a");
    ERR(mount("m/a", "m/b", NULL, MS_MOVE, NULL), EINVAL); /* away from under a shared one */
    OK(umount("m/a"));
    OK(mkdir("p", 0755));
    tmpfs("p");
    write_file("p/f", "text");
    OK(mount("p", "m/a", NULL, MS_MOVE, NULL));
    expect_file("n/a/f", "text");
    OK(umount("m/a"));
    tmpfs("p");
    OK(mkdir("p/in", 0755));
    tmpfs("p/in");
    OK(mount(NULL, "p/in", NULL, MS_UNBINDABLE, NULL));
    ERR(mount("p", "m/a", NULL, MS_MOVE, NULL), EINVAL);
    OK(umount("p/in"));
    OK(umount("p"));
    OK(umount("n"));
    OK(umount("m"));
}

/* Only what is seen there: a peer that shows another part gets nothing. */
static void parts(void)
{
    place("m", MS_SHARED);
    bind("m/a", "part", 0);
    EQ(field("part", " shared:"), field("m", " shared:"));
    tmpfs("m/b");
    OK(mkdir("m/a/x", 0755));
    tmpfs("m/a/x");
    CHECK(is_mount("part/x"));
    OK(umount("part/x"));
    CHECK(!is_mount("m/a/x"));
    OK(umount("part"));
    OK(umount2("m", MNT_DETACH));
}

const struct test propagate_tests[] = {
    {"peers", peers},
    {"slaves", slaves},
    {"kinds", kinds},
    {"trees", trees},
    {"moves", moves},
    {"parts", parts},
    {0},
};
