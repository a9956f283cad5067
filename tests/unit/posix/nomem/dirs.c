/* Names: directories, links, renaming, attributes, extended attributes, mounts, handles. */
#include "scenario.h"

static void directories(void)
{
    is(sc(mkdirat, CWD, text("d"), 0755), 0);
    is(sc(chdir, text("d")), 0);
    for (char name[] = "a"; name[0] < 'm'; name[0]++) {
        make_file(name, "");
    }
    long fd = open_at(".", O_RDONLY | O_DIRECTORY);
    uint64_t buf = room(1024);
    ok(sc(getdents64, (uint64_t)fd, buf, 1024));
    ok(sc(getcwd, buf, 256));
    is(sc(chdir, text("..")), 0);
    is(sc(fchdir, (uint64_t)fd), 0);
    for (char name[] = "a"; name[0] < 'm'; name[0]++) {
        gone(name);
    }
    is(sc(chdir, text("..")), 0);
    is(sc(unlinkat, CWD, text("d"), AT_REMOVEDIR), 0);
    is(sc(getcwd, buf, 256) > 0, true);
    shut(fd);
}

static void links(void)
{
    make_file("f", "1");
    uint64_t buf = room(512);
    is(sc(linkat, CWD, text("f"), CWD, text("g"), 0), 0);
    is(sc(symlinkat, text("f"), CWD, text("s")), 0);
    is(sc(readlinkat, CWD, text("s"), buf, 64), 1);
    shut(open_at("s", O_RDONLY));
    is(sc(renameat2, CWD, text("g"), CWD, text("h"), 0), 0);
    is(sc(renameat2, CWD, text("f"), CWD, text("h"), 2), 0); /* RENAME_EXCHANGE */
    is(sc(mkdirat, CWD, text("d"), 0755), 0);
    is(sc(renameat2, CWD, text("s"), CWD, text("d/s"), 1), 0); /* RENAME_NOREPLACE */
    is(sc(renameat2, CWD, text("d"), CWD, text("e"), 0), 0);
    is(sc(mknodat, CWD, text("fifo"), S_IFIFO | 0600, 0), 0);
    is(sc(mknodat, CWD, text("dev"), S_IFCHR | 0600, 0x103), 0);
    is(sc(renameat2, CWD, text("f"), CWD, text("fifo"), 0), 0);
    gone("e/s");
    is(sc(unlinkat, CWD, text("e"), AT_REMOVEDIR), 0);
    gone("h");
    gone("fifo");
    gone("dev");
}

static void attributes(void)
{
    make_file("f", "1");
    uint64_t buf = room(512), t = words(4, 1ul, 2ul, 3ul, 4ul);
    long fd = open_at("f", O_RDWR);
    is(sc(newfstatat, CWD, text("f"), buf, 0), 0);
    is(sc(fstat, (uint64_t)fd, buf), 0);
    is(sc(statx, CWD, text("f"), 0, 0x7ff, buf), 0);
    is(sc(statfs, text("."), buf), 0);
    is(sc(fstatfs, (uint64_t)fd, buf), 0);
    is(sc(faccessat, CWD, text("f"), 4), 0);
    is(sc(faccessat2, CWD, text("f"), 4, 0x200), 0);
    is(sc(fchmod, (uint64_t)fd, 0600), 0);
    is(sc(fchmodat, CWD, text("f"), 0640), 0);
    is(sc(fchown, (uint64_t)fd, 1, 2), 0);
    is(sc(fchownat, CWD, text("f"), 3, 4, 0), 0);
    is(sc(utimensat, CWD, text("f"), t, 0), 0);
    is(sc(umask, 022), 022);
    shut(fd);
    gone("f");
}

static void extended(void)
{
    make_file("x", "1");
    long fd = open_at("x", O_RDWR);
    uint64_t v = text("some value"), buf = room(512);
    is(sc(setxattr, text("x"), text("user.a"), v, 10, 0), 0);
    is(sc(lsetxattr, text("x"), text("user.b"), v, 5, 1), 0);
    is(sc(fsetxattr, (uint64_t)fd, text("user.a"), v, 9, 2), 0);
    is(sc(getxattr, text("x"), text("user.a"), buf, 64), 9);
    is(sc(lgetxattr, text("x"), text("user.b"), buf, 64), 5);
    is(sc(fgetxattr, (uint64_t)fd, text("user.b"), buf, 64), 5);
    is(sc(listxattr, text("x"), buf, 64), 14);
    is(sc(llistxattr, text("x"), buf, 64), 14);
    is(sc(flistxattr, (uint64_t)fd, buf, 64), 14);
    is(sc(removexattr, text("x"), text("user.a")), 0);
    is(sc(lremovexattr, text("x"), text("user.b")), 0);
    is(sc(fremovexattr, (uint64_t)fd, text("user.b")), -ENODATA);
    is(sc(fsetxattr, (uint64_t)fd, text("user.left"), v, 9, 0), 0);
    shut(fd);
    gone("x");
}

static void mounts(void)
{
    is(sc(mkdirat, CWD, text("m"), 0755), 0);
    is(sc(mkdirat, CWD, text("b"), 0755), 0);
    is(sc(mount, text("none"), text("m"), text("tmpfs"), 0, text("size=64k")), 0);
    make_file("m/f", "data");
    is(sc(mkdirat, CWD, text("m/d"), 0755), 0);
    is(sc(mount, text("none"), text("m/d"), text("proc"), 0, 0), 0);
    is(sc(mount, text("m"), text("b"), 0, ABI_MS_BIND | ABI_MS_REC, 0), 0);
    is(sc(mount, 0, text("b"), 0, ABI_MS_BIND | ABI_MS_REMOUNT | ABI_MS_RDONLY, 0), 0);
    is(sc(openat, CWD, text("b/g"), O_CREAT | O_RDWR, 0600), -EROFS);
    is(sc(mkdirat, CWD, text("c"), 0755), 0);
    is(sc(mount, text("b"), text("c"), 0, ABI_MS_MOVE, 0), 0);
    is(sc(umount2, text("c"), 2), 0); /* MNT_DETACH */
    is(sc(umount2, text("m/d"), 0), 0);
    is(sc(umount2, text("m"), 0), 0);
    for (char name[] = "b"; name[0] <= 'm'; name[0] += name[0] == 'c' ? 10 : 1) {
        is(sc(unlinkat, CWD, text(name), AT_REMOVEDIR), 0);
    }
}

static void shared_mounts(void)
{
    static const char *const names[] = {"m", "n", "s", "t"};
    for (unsigned i = 0; i < 4; i++) {
        is(sc(mkdirat, CWD, text(names[i]), 0755), 0);
    }
    is(sc(mount, text("none"), text("m"), text("tmpfs"), 0, 0), 0);
    is(sc(mkdirat, CWD, text("m/d"), 0755), 0);
    is(sc(mount, 0, text("m"), 0, ABI_MS_SHARED, 0), 0);
    is(sc(mount, text("m"), text("n"), 0, ABI_MS_BIND, 0), 0);
    is(sc(mount, text("m"), text("s"), 0, ABI_MS_BIND, 0), 0);
    is(sc(mount, 0, text("s"), 0, ABI_MS_SLAVE, 0), 0);
    is(sc(mount, 0, text("s"), 0, ABI_MS_SHARED, 0), 0);
    is(sc(mount, text("s"), text("t"), 0, ABI_MS_BIND, 0), 0);
    is(sc(mount, text("none"), text("n/d"), text("tmpfs"), 0, 0), 0);
    is(sc(mkdirat, CWD, text("t/d/x"), 0755), 0); /* there, too */
    is(sc(umount2, text("m/d"), 0), 0);
    for (unsigned i = 0; i < 4; i++) {
        is(sc(umount2, text(names[i]), 0), 0);
        is(sc(unlinkat, CWD, text(names[i]), AT_REMOVEDIR), 0);
    }
}

static void handles(void)
{
    make_file("h", "1");
    uint64_t handle = words(4, 24ul, 0ul, 0ul, 0ul), id = room(8);
    is(sc(name_to_handle_at, CWD, text("h"), handle, id, 0), 0);
    long dir = open_at(".", O_RDONLY), fd = sc(open_by_handle_at, (uint64_t)dir, handle, O_RDONLY);
    ok(fd);
    is(sc(fcntl, (uint64_t)fd, F_SETLEASE, F_WRLCK), 0);
    is(sc(fcntl, (uint64_t)fd, F_GETLEASE, 0), F_WRLCK);
    shut(fd);
    shut(dir);
    gone("h");
}

static void rooted(void)
{
    is(sc(chroot, text("/")), 0);
    is(sc(chdir, text("/")), 0);
}

static void new_root(void)
{
    is(end_of(start(SIGCHLD, rooted)), 0);
}

const struct scenario scenarios_dirs[] = {
    {"directories", directories, false},
    {"links", links, false},
    {"attributes", attributes, false},
    {"extended", extended, false},
    {"mounts", mounts, false},
    {"shared_mounts", shared_mounts, false},
    {"handles", handles, false},
    {"new_root", new_root, false},
    {NULL, NULL, false},
};
