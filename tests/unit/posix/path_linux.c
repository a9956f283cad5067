/*
 * Random calls on names, each made twice: by our file layer and by the Linux the test runs on, in a
 * folder of its /dev/shm (a tmpfs).  Results, errors and what stat says must be the same.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 *
 * Skipped where there is no /dev/shm to write to.
 */
#include "host/host.h"

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

static void one_call(void)
{
    const char *a = name(), *b = name();
    if (leads_out(a, 1) || leads_out(b, 1)) {
        return;
    }
    unsigned flags, mode;
    long ours, theirs;
    switch (rnd(13)) {
    case 0:
    case 1:
        SAY("mkdir %s", a);
        compare(CALL_(mkdirat, CWD, U(a), 0755), linux_(mkdirat(AT_FDCWD, a, 0755)));
        break;
    case 2:
        SAY("rmdir %s", a);
        compare(CALL_(unlinkat, CWD, U(a), AT_REMOVEDIR),
                linux_(unlinkat(AT_FDCWD, a, AT_REMOVEDIR)));
        break;
    case 3:
        SAY("unlink %s", a);
        compare(CALL_(unlinkat, CWD, U(a), 0), linux_(unlinkat(AT_FDCWD, a, 0)));
        break;
    case 4:
        SAY("symlink %s %s", a, b);
        compare(CALL_(symlinkat, U(a), CWD, U(b)), linux_(symlinkat(a, AT_FDCWD, b)));
        break;
    case 5:
        flags = rnd(2) ? AT_SYMLINK_FOLLOW : 0;
        SAY("link %s %s flags %x", a, b, flags);
        compare(CALL_(linkat, CWD, U(a), CWD, U(b), flags),
                linux_(linkat(AT_FDCWD, a, AT_FDCWD, b, (int)flags)));
        break;
    case 6:
    case 7:
    case 8:
        flags = rnd(6) < 4 ? 0 : 1 + rnd(2);
        SAY("rename %s %s flags %u", a, b, flags);
        compare(CALL_(renameat2, CWD, U(a), CWD, U(b), flags),
                linux_(syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags)));
        break;
    case 9:
    case 10: {
        static const unsigned how[] = {O_RDONLY, O_WRONLY,           O_RDWR,
                                       O_RDONLY, O_WRONLY | O_TRUNC, O_PATH};
        static const unsigned more[] = {0,
                                        O_CREAT,
                                        O_CREAT,
                                        O_CREAT | O_EXCL,
                                        O_DIRECTORY,
                                        O_NOFOLLOW,
                                        O_CREAT | O_NOFOLLOW,
                                        O_APPEND};
        flags = how[rnd(6)] | more[rnd(8)] | O_NONBLOCK;
        SAY("open %s %o", a, flags);
        ours = CALL_(openat, CWD, U(a), flags, 0644);
        theirs = linux_(syscall(SYS_openat, AT_FDCWD, a, flags, 0644));
        compare(ours < 0 ? ours : 0, theirs < 0 ? theirs : 0);
        if (ours >= 0) {
            if ((flags & (O_PATH | O_DIRECTORY)) == 0) {
                SAY("write to %s %o", a, flags);
                compare(t_write(ours, "text"), linux_(write((int)theirs, "text", 4)));
            }
            t_close(ours);
            close((int)theirs);
        }
        break;
    }
    case 11:
        mode = (rnd(3) == 0 ? S_IFIFO : S_IFREG) | 0600;
        SAY("mknod %s %o", a, mode);
        compare(CALL_(mknodat, CWD, U(a), mode, 0), linux_(mknod(a, mode, 0)));
        break;
    default:
        SAY("truncate %s", a);
        mode = rnd(10000);
        compare(CALL_(truncate, U(a), mode), linux_(truncate(a, mode)));
        break;
    }
    compare_stat(a);
    compare_stat(b);
    compare_stat(".");
    char *ot = host_room(256), lt[256];
    SAY("readlink %s", a);
    ours = CALL_(readlinkat, CWD, U(a), A(ot), 256);
    theirs = linux_(readlinkat(AT_FDCWD, a, lt, sizeof(lt)));
    compare(ours, theirs);
    if (ours > 0) {
        assert_memory_equal(ot, lt, (size_t)ours);
    }
}

static void random_calls(void **state)
{
    char folder[] = "/dev/shm/nexus-XXXXXX", command[64];
    if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
        skip();
    }
    umask(022);
    as_user(getuid());
    for (uint32_t round = 1; round <= 40; round++) {
        seed = round * 7919;
        assert_ok(CALL_(mount, U("x"), U("/mnt"), U("ramfs"), 0, U("mode=700")));
        assert_ok(CALL_(chdir, U("/mnt")));
        for (int i = 0; i < 1500; i++) {
            size_t used = host_used;
            one_call();
            host_used = used;
        }
        assert_ok(CALL_(chdir, U("/")));
        assert_ok(CALL_(umount2, U("/mnt"), 0));
        snprintf(command, sizeof(command), "rm -rf %s/* %s/.[a-z]*", folder, folder);
        assert_int_equal(system(command), 0);
    }
    assert_true(agreed[0] > 20000 && agreed[1] > 20000);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* ---- who may do what ---- */

static void become(uint32_t uid)
{
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(uid), 0);
    assert_int_equal(seteuid(uid), 0);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* the leak sanitizer wants to look at us in the end */
    as_user(uid);
}

static void one_permission_call(void)
{
    const char *a = name(), *b = name();
    /* No sticky bit and no links by others: there some Linuxes have rules of their own. */
    unsigned mode = rnd(010000) & ~01000u, how = rnd(4);
    uint32_t ids[4] = {0, 1000, 2000, ~0u};
    uint32_t uid = ids[rnd(4)], gid = ids[rnd(4)], user = ids[rnd(3)];
    long ours, theirs;
    if (leads_out(a, 1) || leads_out(b, 1)) {
        return;
    }
    mode |= rnd(2) ? 0700 : 0;
    become(user);
    switch (rnd(9)) {
    case 0:
        SAY("%u: chmod %s %o", user, a, mode);
        compare(CALL_(fchmodat, CWD, U(a), mode), linux_(syscall(SYS_fchmodat, AT_FDCWD, a, mode)));
        break;
    case 1:
        SAY("%u: chown %s %u %u", user, a, uid, gid);
        compare(CALL_(fchownat, CWD, U(a), uid, gid, 0),
                linux_(syscall(SYS_fchownat, AT_FDCWD, a, uid, gid, 0)));
        break;
    case 2:
        SAY("%u: mkdir %s %o", user, a, mode);
        compare(CALL_(mkdirat, CWD, U(a), mode), linux_(mkdirat(AT_FDCWD, a, mode)));
        break;
    case 3:
        SAY("%u: rmdir %s", user, a);
        compare(CALL_(unlinkat, CWD, U(a), AT_REMOVEDIR),
                linux_(syscall(SYS_unlinkat, AT_FDCWD, a, AT_REMOVEDIR)));
        break;
    case 4:
        SAY("%u: rename %s %s", user, a, b);
        compare(CALL_(renameat2, CWD, U(a), CWD, U(b), 0),
                linux_(syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 0)));
        break;
    case 5:
        SAY("%u: access %s %u", user, a, how * 2 + 1);
        compare(CALL_(faccessat2, CWD, U(a), how * 2 + 1, AT_EACCESS),
                linux_(syscall(SYS_faccessat2, AT_FDCWD, a, how * 2 + 1, AT_EACCESS)));
        break;
    case 6:
        SAY("%u: utimens %s", user, a);
        compare(CALL_(utimensat, CWD, U(a), 0, 0),
                linux_(syscall(SYS_utimensat, AT_FDCWD, a, NULL, 0)));
        break;
    default:
        how = rnd(3) | (rnd(2) ? O_CREAT : 0);
        SAY("%u: open %s %o %o", user, a, how, mode);
        ours = CALL_(openat, CWD, U(a), how, mode);
        theirs = linux_(syscall(SYS_openat, AT_FDCWD, a, how, mode));
        compare(ours < 0 ? ours : 0, theirs < 0 ? theirs : 0);
        if (ours >= 0) {
            if ((how & O_ACCMODE) != O_RDONLY) {
                SAY("%u: write to %s", user, a);
                compare(t_write(ours, "x"), linux_(write((int)theirs, "x", 1)));
            }
            t_close(ours);
            close((int)theirs);
        }
    }
    become(0);
    compare_stat(a);
    compare_stat(b);
}

static void random_permissions(void **state)
{
    char folder[] = "/dev/shm/nexus-XXXXXX", command[64];
    if (geteuid() != 0 || mkdtemp(folder) == NULL || chdir(folder) != 0) {
        skip();
    }
    umask(022);
    for (uint32_t round = 1; round <= 40; round++) {
        seed = round * 104729;
        assert_int_equal(chown(folder, 0, 0), 0);
        assert_int_equal(chmod(folder, 0777), 0);
        assert_ok(CALL_(mount, U("x"), U("/mnt"), U("ramfs"), 0, U("mode=777")));
        assert_ok(CALL_(chdir, U("/mnt")));
        for (int i = 0; i < 1500; i++) {
            size_t used = host_used;
            one_permission_call();
            host_used = used;
        }
        assert_ok(CALL_(chdir, U("/")));
        assert_ok(CALL_(umount2, U("/mnt"), 0));
        snprintf(command, sizeof(command), "rm -rf %s/* %s/.[a-z]*", folder, folder);
        assert_int_equal(system(command), 0);
    }
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
}

static int make_mnt(void **state)
{
    int err = host_begin(state);
    return err != 0 ? err : (int)CALL_(mkdirat, CWD, U("/mnt"), 0755);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(random_calls),
        T(random_permissions),
    };
    return cmocka_run_group_tests(tests, make_mnt, host_end);
}
