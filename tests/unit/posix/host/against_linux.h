/* For tests that make every call twice: by our file layer, below its /mnt, and by the Linux the test runs on,
 * in a folder of its /dev/shm.  Included once, by the test's one file. */
#ifndef AGAINST_LINUX_H
#define AGAINST_LINUX_H

#include "host.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static uint32_t seed;
static uint32_t rnd(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

/* A name of one to four parts out of a few, so that calls meet. */
static const char *name(void)
{
    static char text[4][64];
    static unsigned next;
    static const char *const part[] = {"a", "b", "c", "dd", ".", "..", "a", "b"};
    char *out = text[next++ % 4];
    size_t n = 0;
    unsigned parts = 1 + rnd(4);
    if (rnd(60) == 0) {
        return "";
    }
    for (unsigned i = 0; i < parts; i++) {
        n += (size_t)snprintf(out + n, sizeof(text[0]) - n, "%s%s", i > 0 ? "/" : "", part[rnd(8)]);
    }
    if (rnd(12) == 0) {
        snprintf(out + n, sizeof(text[0]) - n, "/");
    }
    return out;
}

/* "..", often enough, leads out of the folder; there the two are not the same. */
static bool leads_out(const char *s, int links)
{
    int depth = 0;
    while (*s != 0) {
        size_t len = strcspn(s, "/");
        if (len == 2 && s[0] == '.' && s[1] == '.') {
            depth--;
        } else if (len > 0 && !(len == 1 && s[0] == '.')) {
            depth += links ? 0 : 1; /* a link may lead anywhere inside */
        }
        if (depth < 0) {
            return true;
        }
        s += len + (s[len] == '/');
    }
    return false;
}

static long linux_(long r)
{
    return r < 0 ? -errno : r;
}

static char call_text[256];
static unsigned agreed[2]; /* on errors, on success: neither may be rare */
static void compare(long ours, long theirs)
{
    agreed[ours >= 0]++;
    if (ours != theirs) {
        fail_msg("%s: ours %ld, Linux %ld", call_text, ours, theirs);
    }
}

static void compare_stat(const char *path)
{
    struct abi_stat *o = host_room(sizeof(*o));
    struct stat l;
    long ours = CALL_(newfstatat, CWD, U(path), A(o), AT_SYMLINK_NOFOLLOW);
    long theirs = linux_(fstatat(AT_FDCWD, path, &l, AT_SYMLINK_NOFOLLOW));
    snprintf(call_text, sizeof(call_text), "lstat %s", path);
    compare(ours, theirs);
    if (ours == 0) {
        compare(o->mode, l.st_mode);
        compare(o->nlink, (long)l.st_nlink);
        compare(o->uid, l.st_uid);
        compare(o->gid, l.st_gid);
        if (!S_ISDIR(l.st_mode)) {
            compare(o->size, l.st_size);
        }
    }
}

#define SAY(...) snprintf(call_text, sizeof(call_text), __VA_ARGS__)

static void become(uint32_t uid)
{
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(uid), 0);
    assert_int_equal(seteuid(uid), 0);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* the leak sanitizer wants to look at us in the end */
    as_user(uid);
}

static int make_mnt(void **state)
{
    int err = host_begin(state);
    return err != 0 ? err : (int)CALL_(mkdirat, CWD, U("/mnt"), 0755);
}

#endif
