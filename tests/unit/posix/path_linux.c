/*
 * Random calls on names, each made twice: by our file layer and by the Linux the test runs on, in a
 * folder of its /dev/shm (a tmpfs).  Results, errors and what stat says must be the same.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 *
 * Skipped where there is no /dev/shm to write to.
 */
#include "host/against_linux.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(random_calls),
        T(random_permissions),
    };
    return cmocka_run_group_tests(tests, make_mnt, host_end);
}
