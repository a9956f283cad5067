/*
 * Paths: lookup, symbolic links, mounts, permissions, names added, removed and renamed.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 */
#include "host/host.h"

static void dots_and_slashes(void **state)
{
    assert_ok(t_mkdir("/d"));
    assert_ok(t_mkdir("/d/e"));
    assert_int_equal(t_stat("/d//e")->ino, t_stat("/d/./e/")->ino);
    assert_int_equal(t_stat("/d/e/..")->ino, t_stat("/d")->ino);
    assert_int_equal(t_stat("/../../d")->ino, t_stat("/d")->ino);
    assert_int_equal(t_stat("////")->ino, t_stat("/")->ino);
    assert_null(t_stat("/d/x"));
    assert_int_equal(CALL_(newfstatat, CWD, U(""), U("x"), 0), -ENOENT);
    assert_int_equal(t_rmdir("/d"), -ENOTEMPTY);
    assert_int_equal(t_rmdir("/d/e/."), -EINVAL);
    assert_int_equal(t_rmdir("/d/e/.."), -ENOTEMPTY);
    assert_int_equal(t_rmdir("/"), -EBUSY);
    assert_ok(t_rmdir("/d/e/"));
    assert_ok(t_rmdir("/d"));
}

static void names_too_long(void **state)
{
    char name[5000];
    memset(name, 'x', sizeof(name));
    name[256] = 0;
    assert_int_equal(t_mkdir(name), -ENAMETOOLONG);
    name[255] = 0;
    assert_ok(t_mkdir(name));
    assert_non_null(t_stat(name));
    assert_ok(t_rmdir(name));
    name[255] = name[256] = 'x';
    for (int i = 1; i < 5000; i += 2) {
        name[i] = '/';
    }
    name[4096] = 0;
    assert_int_equal(t_mkdir(name), -ENAMETOOLONG);
    name[4095] = 0;
    assert_int_equal(t_mkdir(name), -ENOENT);
    assert_int_equal(CALL_(mkdirat, CWD, HOST_BAD, 0755), -EFAULT);
}

static void symlinks(void **state)
{
    assert_ok(t_mkdir("/d"));
    t_file("/d/f", "text");
    assert_ok(t_symlink("d/f", "/l1"));
    assert_ok(t_symlink("/d", "/l2"));
    assert_ok(t_symlink("l2/f", "/l3"));
    assert_ok(t_symlink("nowhere", "/l4"));
    assert_ok(t_symlink("../d/./f", "/d/l5"));
    long fd = t_open("/l1", O_RDONLY, 0);
    assert_string_equal(t_read(fd, 10), "text");
    t_close(fd);
    fd = t_open("/l3", O_RDONLY, 0);
    assert_string_equal(t_read(fd, 10), "text");
    t_close(fd);
    fd = t_open("/l2/l5", O_RDONLY, 0);
    assert_string_equal(t_read(fd, 10), "text");
    t_close(fd);
    assert_int_equal(t_open("/l1/", O_RDONLY, 0), -ENOTDIR);
    assert_int_equal(t_open("/l1", O_RDONLY | O_NOFOLLOW, 0), -ELOOP);
    assert_int_equal(t_open("/l4", O_RDONLY, 0), -ENOENT);
    assert_int_equal(t_open("/l4", O_WRONLY | O_CREAT | O_EXCL, 0600), -EEXIST);
    fd = t_open("/l4", O_WRONLY | O_CREAT, 0600); /* makes what it points to */
    assert_true(fd >= 0);
    t_close(fd);
    assert_non_null(t_stat("/nowhere"));
    char *buf = host_room(16);
    assert_int_equal(CALL_(readlinkat, CWD, U("/l2"), A(buf), 16), 2);
    assert_memory_equal(buf, "/d", 2);
    assert_int_equal(CALL_(readlinkat, CWD, U("/l1"), A(buf), 1), 1);
    assert_int_equal(CALL_(readlinkat, CWD, U("/d"), A(buf), 16), -EINVAL);
    assert_int_equal(CALL_(readlinkat, CWD, U("/l1"), A(buf), 0), -EINVAL);
    assert_int_equal(CALL_(readlinkat, CWD, U("/l1"), HOST_BAD, 16), -EFAULT);
    assert_int_equal(t_stat("/l2")->mode, S_IFLNK | 0777);
    assert_int_equal(t_stat("/l2")->size, 2);
    assert_int_equal(t_symlink("", "/l6"), -ENOENT);
    assert_int_equal(t_symlink("x", "/l1"), -EEXIST);
    assert_ok(t_unlink("/l1"));
    assert_int_equal(t_unlink("/l2/"), -ENOTDIR);
    assert_ok(t_unlink("/l2"));
    assert_ok(t_unlink("/l3"));
    assert_ok(t_unlink("/l4"));
    assert_ok(t_unlink("/d/l5"));
    assert_ok(t_unlink("/nowhere"));
    assert_ok(t_unlink("/d/f"));
    assert_ok(t_rmdir("/d"));
}

static void symlink_loops(void **state)
{
    char name[16], target[16];
    assert_ok(t_symlink("b", "/a"));
    assert_ok(t_symlink("a", "/b"));
    assert_int_equal(t_open("/a", O_RDONLY, 0), -ELOOP);
    assert_int_equal(t_open("/a", O_WRONLY | O_CREAT, 0600), -ELOOP);
    assert_ok(t_unlink("/a"));
    assert_ok(t_unlink("/b"));
    t_file("/s0", "end");
    for (int i = 1; i <= 41; i++) {
        snprintf(name, sizeof(name), "/s%d", i);
        snprintf(target, sizeof(target), "s%d", i - 1);
        assert_ok(t_symlink(target, name));
    }
    long fd = t_open("/s40", O_RDONLY, 0);
    assert_true(fd >= 0);
    t_close(fd);
    assert_int_equal(t_open("/s41", O_RDONLY, 0), -ELOOP);
    for (int i = 0; i <= 41; i++) {
        snprintf(name, sizeof(name), "/s%d", i);
        assert_ok(t_unlink(name));
    }
}

/* A link in the middle of each of 40 nested rests: the stack of what is left to do. */
static void symlinks_nested(void **state)
{
    char path[256] = "/n";
    size_t n = 2;
    assert_ok(t_mkdir("/n"));
    assert_ok(t_symlink("../n/x", "/n/y"));
    assert_ok(t_symlink(".", "/n/x"));
    for (int i = 0; i < 20; i++) {
        n += (size_t)snprintf(path + n, sizeof(path) - n, "/y");
    }
    assert_int_equal(t_stat(path)->mode & S_IFMT, S_IFLNK);
    n += (size_t)snprintf(path + n, sizeof(path) - n, "/.");
    assert_int_equal(t_stat(path)->ino, t_stat("/n")->ino);
    snprintf(path + n, sizeof(path) - n, "/x/.");
    assert_null(t_stat(path));
    assert_ok(t_unlink("/n/x"));
    assert_ok(t_unlink("/n/y"));
    assert_ok(t_rmdir("/n"));
}

static void at_calls(void **state)
{
    assert_ok(t_mkdir("/d"));
    long dir = t_open("/d", O_RDONLY | O_DIRECTORY, 0);
    assert_true(dir >= 0);
    long fd = CALL_(openat, (uint64_t)dir, U("f"), O_RDWR | O_CREAT, 0640);
    assert_true(fd >= 0);
    assert_int_equal(t_stat("/d/f")->mode, S_IFREG | 0640);
    assert_int_equal(CALL_(openat, (uint64_t)fd, U("x"), 0, 0), -ENOTDIR);
    assert_int_equal(CALL_(openat, 99, U("x"), 0, 0), -EBADF);
    assert_ok(t_close(fd));
    fd = CALL_(openat, 99, U("/d/f"), 0, 0); /* absolute: the descriptor does not matter */
    assert_true(fd >= 0);
    assert_ok(t_close(fd));
    assert_ok(CALL_(linkat, (uint64_t)dir, U("f"), CWD, U("/g"), 0));
    assert_int_equal(t_stat("/g")->nlink, 2);
    assert_int_equal(CALL_(linkat, CWD, U("/d"), CWD, U("/h"), 0), -EPERM);
    assert_int_equal(CALL_(linkat, CWD, U("/g"), CWD, U("/d/f"), 0), -EEXIST);
    assert_ok(CALL_(fchdir, (uint64_t)dir));
    char *buf = host_room(64);
    assert_int_equal(CALL_(getcwd, A(buf), 64), 3);
    assert_string_equal(buf, "/d");
    assert_int_equal(CALL_(getcwd, A(buf), 2), -ERANGE);
    assert_ok(t_unlink("f"));
    assert_ok(CALL_(chdir, U("..")));
    assert_int_equal(CALL_(chdir, U("/g")), -ENOTDIR);
    assert_ok(t_unlink("g"));
    assert_ok(t_close(dir));
    assert_ok(t_rmdir("/d"));
}

static void removed_directories(void **state)
{
    char *buf = host_room(64);
    assert_ok(t_mkdir("/d"));
    assert_ok(CALL_(chdir, U("/d")));
    long dir = t_open(".", O_RDONLY, 0);
    assert_ok(t_rmdir("/d"));
    assert_int_equal(CALL_(getcwd, A(buf), 64), -ENOENT);
    assert_int_equal(t_open("new", O_WRONLY | O_CREAT, 0600), -ENOENT);
    assert_int_equal(t_mkdir("new"), -ENOENT);
    assert_int_equal(CALL_(getdents64, (uint64_t)dir, A(buf), 64), -ENOENT);
    assert_ok(CALL_(chdir, U("..")));
    assert_int_equal(CALL_(getcwd, A(buf), 64), 2);
    assert_ok(t_close(dir));
}

static void renames(void **state)
{
#define RENAME(from, to, flags) CALL_(renameat2, CWD, U(from), CWD, U(to), flags)
    assert_ok(t_mkdir("/d"));
    assert_ok(t_mkdir("/d/sub"));
    assert_ok(t_mkdir("/e"));
    t_file("/f", "f");
    t_file("/g", "g");
    assert_int_equal(RENAME("/nothing", "/x", 0), -ENOENT);
    assert_int_equal(RENAME("/f", "/d", 0), -EISDIR);
    assert_int_equal(RENAME("/d", "/f", 0), -ENOTDIR);
    assert_int_equal(RENAME("/e", "/d", 0), -ENOTEMPTY);
    assert_int_equal(RENAME("/d", "/d/sub/x", 0), -EINVAL);
    assert_int_equal(RENAME("/d/sub", "/d", 0), -ENOTEMPTY);
    assert_int_equal(RENAME("/f", "/g", 1), -EEXIST);
    assert_int_equal(RENAME("/f", "/h", 2), -ENOENT);
    assert_int_equal(RENAME("/f", "/h", 3), -EINVAL);
    assert_int_equal(RENAME("/d/.", "/x", 0), -EBUSY);
    assert_int_equal(RENAME("/f", "/x/", 0), -ENOTDIR);
    assert_int_equal(RENAME("/f", "/proc/x", 0), -EXDEV);
    uint64_t f = t_stat("/f")->ino, g = t_stat("/g")->ino;
    assert_ok(RENAME("/f", "/g", 2));
    assert_int_equal(t_stat("/f")->ino, g);
    assert_int_equal(t_stat("/g")->ino, f);
    long fd = t_open("/f", O_RDONLY, 0);
    assert_ok(RENAME("/g", "/f", 0)); /* replaces; the old one lives on while it is open */
    assert_string_equal(t_read(fd, 4), "g");
    assert_ok(t_close(fd));
    assert_null(t_stat("/g"));
    assert_int_equal(t_stat("/d")->nlink, 3);
    uint32_t links = t_stat("/")->nlink;
    assert_ok(RENAME("/d/sub", "/sub", 0));
    assert_int_equal(t_stat("/d")->nlink, 2);
    assert_int_equal(t_stat("/")->nlink, links + 1);
    assert_ok(RENAME("/sub", "/d/sub", 0));
    assert_ok(RENAME("/d/sub", "/f", 2)); /* a directory and a file */
    assert_int_equal(t_stat("/d")->nlink, 2);
    assert_int_equal(t_stat("/")->nlink, links + 1);
    assert_int_equal(t_stat("/f")->mode & S_IFMT, S_IFDIR);
    assert_ok(RENAME("/f", "/e", 0)); /* over an empty directory */
    assert_ok(CALL_(linkat, CWD, U("/d/sub"), CWD, U("/same"), 0));
    assert_ok(RENAME("/same", "/d/sub", 0)); /* the same file: nothing happens */
    assert_non_null(t_stat("/same"));
    char name[] = "/a-name-that-is-longer-than-what-fits-into-the-entry-itself";
    assert_ok(RENAME("/same", name, 0));
    assert_ok(RENAME(name, "/s", 0));
    assert_non_null(t_stat("/s"));
    assert_ok(t_unlink("/s"));
    assert_ok(t_unlink("/d/sub"));
    assert_ok(t_rmdir("/d"));
    assert_ok(t_rmdir("/e"));
}

static void exchange_of_long_names(void **state)
{
    static const char a[] = "/d/a-name-that-is-longer-than-what-fits-into-the-entry-itself";
    static const char b[] = "/another-name-that-is-longer-than-what-fits-into-the-entry-itself";
    assert_ok(t_mkdir("/d"));
    t_file(a, "a");
    t_file(b, "b");
    t_file("/s", "s");
    uint64_t ia = t_stat(a)->ino, ib = t_stat(b)->ino, is = t_stat("/s")->ino;
    assert_ok(RENAME(a, b, 2));
    assert_int_equal(t_stat(a)->ino, ib);
    assert_int_equal(t_stat(b)->ino, ia);
    assert_ok(RENAME("/s", a, 2));
    assert_int_equal(t_stat("/s")->ino, ib);
    assert_int_equal(t_stat(a)->ino, is);
    assert_ok(t_unlink(a));
    assert_ok(t_unlink(b));
    assert_ok(t_unlink("/s"));
    assert_ok(t_rmdir("/d"));
}

static void permissions(void **state)
{
    assert_ok(t_mkdir("/d"));
    assert_ok(CALL_(fchmodat, CWD, U("/d"), 0777));
    t_file("/d/roots", "x");
    assert_ok(CALL_(fchmodat, CWD, U("/d/roots"), 0640));
    as_user(1000);
    assert_int_equal(t_open("/d/roots", O_RDONLY, 0), -EACCES);
    assert_int_equal(t_open("/new", O_WRONLY | O_CREAT, 0600), -EACCES);
    struct groups *groups = calloc(1, sizeof(*groups) + sizeof(groups->gid[0]));
    groups->refs = 1;
    groups->count = 1; /* group 0 */
    current->cred.groups = groups;
    long fd = t_open("/d/roots", O_RDONLY, 0);
    assert_true(fd >= 0);
    assert_ok(t_close(fd));
    assert_int_equal(t_open("/d/roots", O_RDWR, 0), -EACCES);
    assert_int_equal(CALL_(fchmodat, CWD, U("/d/roots"), 0777), -EPERM);
    assert_int_equal(CALL_(fchownat, CWD, U("/d/roots"), 1000, 1000, 0), -EPERM);
    fd = t_open("/d/mine", O_WRONLY | O_CREAT, 0); /* the mode does not matter to its maker */
    assert_true(fd >= 0);
    assert_ok(t_close(fd));
    assert_int_equal(t_open("/d/mine", O_RDONLY, 0), -EACCES);
    assert_int_equal(t_stat("/d/mine")->uid, 1000);
    assert_ok(CALL_(fchmodat, CWD, U("/d/mine"), 06755));
    assert_int_equal(CALL_(fchownat, CWD, U("/d/mine"), 1, (uint64_t)-1, 0), -EPERM);
    assert_ok(CALL_(fchownat, CWD, U("/d/mine"), (uint64_t)-1, 0, 0)); /* a group of ours */
    assert_int_equal(t_stat("/d/mine")->mode & 07777, 0755);
    as_user(0);
    free(groups);
    assert_ok(CALL_(fchmodat, CWD, U("/d"), 01777));
    as_user(2000);
    assert_int_equal(t_unlink("/d/mine"), -EPERM); /* sticky */
    assert_int_equal(RENAME("/d/mine", "/d/other", 0), -EPERM);
    as_user(1000);
    assert_ok(t_unlink("/d/mine"));
    as_user(0);
    assert_ok(CALL_(fchmodat, CWD, U("/d"), 0600));
    as_user(1000);
    assert_int_equal(t_open("/d/roots", O_RDONLY, 0), -EACCES); /* no search */
    assert_int_equal(CALL_(faccessat, CWD, U("/d"), 4), -EACCES);
    /* access(2) looks at the real id */
    current->cred.ruid = 0;
    current->cred.permitted = CAP_ALL;
    assert_ok(CALL_(faccessat, CWD, U("/d"), 4));
    assert_int_equal(CALL_(faccessat2, CWD, U("/d"), 4, AT_EACCESS), -EACCES);
    assert_int_equal(CALL_(faccessat, CWD, U("/d"), 8), -EINVAL);
    as_user(0);
    assert_int_equal(CALL_(faccessat, CWD, U("/d/roots"), 1), -EACCES); /* nobody may execute it */
    assert_ok(t_unlink("/d/roots"));
    assert_ok(t_rmdir("/d"));
}

static void setgid_directories(void **state)
{
    assert_ok(t_mkdir("/d"));
    assert_ok(CALL_(fchownat, CWD, U("/d"), 0, 55, 0));
    assert_ok(CALL_(fchmodat, CWD, U("/d"), 02777));
    as_user(1000);
    t_file("/d/f", "x");
    assert_ok(t_mkdir("/d/e"));
    assert_int_equal(t_stat("/d/f")->gid, 55);
    assert_int_equal(t_stat("/d/e")->gid, 55);
    assert_int_equal(t_stat("/d/e")->mode, S_IFDIR | 02755);
    long fd = t_open("/d/g", O_WRONLY | O_CREAT, 02770);
    assert_true(fd >= 0);
    assert_ok(t_close(fd));
    assert_int_equal(t_stat("/d/g")->mode & S_ISGID, 0); /* not in that group */
    assert_ok(t_unlink("/d/f"));
    assert_ok(t_unlink("/d/g"));
    assert_ok(t_rmdir("/d/e"));
    as_user(0);
    assert_ok(t_rmdir("/d"));
}

static void umask_applies(void **state)
{
    assert_int_equal(CALL_(umask, 077), 022);
    t_file("/f", "");
    assert_int_equal(t_stat("/f")->mode, S_IFREG | 0600);
    assert_int_equal(CALL_(umask, 022), 077);
    assert_ok(t_unlink("/f"));
}

static void mounts(void **state)
{
    assert_ok(t_mkdir("/m"));
    t_file("/m/under", "x");
    assert_int_equal(CALL_(mount, U("none"), U("/m"), U("nofs"), 0, 0), -ENODEV);
    assert_int_equal(CALL_(mount, U("none"), U("/m/under"), U("tmpfs"), 0, 0), -ENOTDIR);
    assert_int_equal(CALL_(mount, U("none"), U("/m"), U("tmpfs"), 0, U("bad=1")), -EINVAL);
    assert_ok(CALL_(mount, U("my name"), U("/m"), U("tmpfs"), 0, U("size=1M,mode=700")));
    assert_null(t_stat("/m/under"));
    assert_int_equal(t_stat("/m")->mode, S_IFDIR | 0700);
    assert_int_equal(t_stat("/m/..")->ino, t_stat("/")->ino);
    t_file("/m/over", "y");
    assert_int_equal(t_rmdir("/m"), -EBUSY);
    assert_int_equal(RENAME("/m", "/n", 0), -EBUSY);
    assert_int_equal(CALL_(linkat, CWD, U("/m/over"), CWD, U("/x"), 0), -EXDEV);
    long fd = t_open("/m/over", O_RDONLY, 0);
    assert_int_equal(CALL_(umount2, U("/m"), 0), -EBUSY);
    assert_ok(CALL_(mount, U(""), U("/m"), U(""), ABI_MS_REMOUNT | ABI_MS_RDONLY, 0));
    assert_int_equal(t_open("/m/over", O_WRONLY, 0), -EROFS);
    assert_int_equal(t_unlink("/m/over"), -EROFS);
    assert_int_equal(t_open("/m/new", O_WRONLY | O_CREAT, 0600), -EROFS);
    assert_int_equal(t_mkdir("/m/over"), -EEXIST); /* that comes first */
    assert_int_equal(CALL_(faccessat, CWD, U("/m/over"), 2), -EROFS);
    long p = t_open("/proc/mounts", O_RDONLY, 0);
    assert_non_null(strstr(t_read(p, 2000), "my\\040name /m tmpfs ro,relatime 0 0\n"));
    assert_ok(t_close(p));
    assert_int_equal(CALL_(umount2, U("/m"), ABI_MNT_DETACH), 0);
    assert_non_null(t_stat("/m/under"));
    assert_string_equal(t_read(fd, 4), "y"); /* detached, but there */
    assert_ok(t_close(fd));
    assert_int_equal(CALL_(umount2, U("/m"), 0), -EINVAL);
    /* one over the other; a bind */
    assert_ok(CALL_(mount, U("a"), U("/m"), U("tmpfs"), 0, 0));
    t_file("/m/a", "a");
    assert_ok(CALL_(mount, U("b"), U("/m"), U("tmpfs"), 0, 0));
    assert_null(t_stat("/m/a"));
    assert_ok(CALL_(umount2, U("/m"), 0));
    assert_non_null(t_stat("/m/a"));
    assert_ok(t_mkdir("/bound"));
    assert_ok(CALL_(mount, U("/m"), U("/bound"), U(""), ABI_MS_BIND, 0));
    assert_int_equal(t_stat("/bound/a")->ino, t_stat("/m/a")->ino);
    assert_ok(CALL_(umount2, U("/bound"), 0));
    assert_ok(t_rmdir("/bound"));
    assert_ok(CALL_(umount2, U("/m"), 0));
    assert_int_equal(CALL_(umount2, U("/"), 0), -EBUSY);
    as_user(1);
    assert_int_equal(CALL_(umount2, U("/tmp"), 0), -EPERM);
    assert_int_equal(CALL_(mount, U("a"), U("/m"), U("tmpfs"), 0, 0), -EPERM);
    as_user(0);
    assert_ok(t_unlink("/m/under"));
    assert_ok(t_rmdir("/m"));
}

static void chroots(void **state)
{
    char *buf = host_room(64);
    assert_ok(t_mkdir("/jail"));
    assert_ok(t_mkdir("/jail/in"));
    assert_ok(t_symlink("/in", "/jail/l"));
    struct fsctx *old = current->fs;
    current->fs = fsctx_copy(old);
    assert_ok(CALL_(chroot, U("/jail")));
    assert_int_equal(CALL_(getcwd, A(buf), 64), 15); /* (unreachable)/ */
    assert_string_equal(buf, "(unreachable)/");
    assert_ok(CALL_(chdir, U("/l")));
    assert_int_equal(CALL_(getcwd, A(buf), 64), 4);
    assert_string_equal(buf, "/in");
    assert_ok(CALL_(chdir, U("../../..")));
    assert_int_equal(CALL_(getcwd, A(buf), 64), 2);
    assert_null(t_stat("/jail"));
    fsctx_unref(current->fs);
    current->fs = old;
    assert_ok(t_unlink("/jail/l"));
    assert_ok(t_rmdir("/jail/in"));
    assert_ok(t_rmdir("/jail"));
}

static void open_flags(void **state)
{
    assert_int_equal(t_open("/f/", O_WRONLY | O_CREAT, 0600), -EISDIR);
    assert_int_equal(t_open("/tmp", O_WRONLY, 0), -EISDIR);
    assert_int_equal(t_open("/tmp", O_RDONLY | O_CREAT, 0), -EISDIR);
    assert_int_equal(t_open("/tmp", O_RDONLY | O_CREAT | O_EXCL, 0), -EEXIST);
    t_file("/f", "12345");
    assert_int_equal(t_open("/f", O_RDONLY | O_DIRECTORY, 0), -ENOTDIR);
    assert_int_equal(t_open("/f", O_WRONLY | O_CREAT | O_EXCL, 0), -EEXIST);
    assert_int_equal(t_open("/f/x", O_WRONLY | O_CREAT, 0), -ENOTDIR);
    long fd = t_open("/f", O_PATH, 0);
    assert_true(fd >= 0);
    char *buf = host_room(8);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(buf), 8), -EBADF);
    assert_int_equal(CALL_(fchmod, (uint64_t)fd, 0), -EBADF);
    struct abi_stat *st = host_room(sizeof(*st));
    assert_ok(CALL_(fstat, (uint64_t)fd, A(st)));
    assert_int_equal(st->size, 5);
    assert_ok(t_close(fd));
    fd = t_open("/f", O_WRONLY | O_TRUNC, 0);
    assert_int_equal(t_stat("/f")->size, 0);
    struct file *f = fd_get((int)fd);
    assert_int_equal(file_deny_write(f), -ETXTBSY);
    assert_ok(t_close(fd));
    file_unref(f);
    fd = t_open("/f", O_RDONLY, 0);
    f = fd_get((int)fd);
    assert_ok(file_deny_write(f));
    assert_int_equal(t_open("/f", O_WRONLY, 0), -ETXTBSY);
    file_allow_write(f);
    file_unref(f);
    assert_ok(t_close(fd));
    fd = t_open("/tmp", O_TMPFILE | O_RDWR, 0600);
    assert_true(fd >= 0);
    assert_int_equal(t_write(fd, "nameless"), 8);
    assert_int_equal(CALL_(linkat, (uint64_t)fd, U(""), CWD, U("/tmp/named"), AT_EMPTY_PATH), 0);
    assert_ok(t_close(fd));
    assert_int_equal(t_stat("/tmp/named")->size, 8);
    assert_int_equal(t_stat("/tmp/named")->nlink, 1);
    assert_ok(t_unlink("/tmp/named"));
    assert_ok(t_unlink("/f"));
}

static void exec_checks(void **state)
{
    struct file *f;
    t_file("/x", "#!");
    assert_int_equal(vfs_open_exec("/x", &f), -EACCES);
    assert_ok(CALL_(fchmodat, CWD, U("/x"), 0755));
    assert_ok(vfs_open_exec("/x", &f));
    char buf[4];
    assert_int_equal(file_read_kernel(f, buf, 4, 0), 2);
    assert_int_equal(file_mode(f), S_IFREG | 0755);
    file_unref(f);
    assert_int_equal(vfs_open_exec("/tmp", &f), -EACCES);
    assert_int_equal(vfs_open_exec("/none", &f), -ENOENT);
    long fd = t_open("/x", O_WRONLY, 0);
    assert_int_equal(vfs_open_exec("/x", &f), -ETXTBSY);
    assert_ok(t_close(fd));
    assert_ok(t_unlink("/x"));
}

static void times_and_statx(void **state)
{
    struct abi_timespec *ts = host_room(2 * sizeof(*ts));
    t_file("/f", "x");
    ts[0] = (struct abi_timespec){-5, 250};
    ts[1] = (struct abi_timespec){1000, 7};
    assert_ok(CALL_(utimensat, CWD, U("/f"), A(ts), 0));
    assert_int_equal(t_stat("/f")->atime, -5);
    assert_int_equal(t_stat("/f")->atime_nsec, 250);
    assert_int_equal(t_stat("/f")->mtime, 1000);
    ts[0].nsec = ABI_UTIME_OMIT;
    ts[1].nsec = ABI_UTIME_NOW;
    assert_ok(CALL_(utimensat, CWD, U("/f"), A(ts), 0));
    assert_int_equal(t_stat("/f")->atime, -5);
    assert_true(t_stat("/f")->mtime > 1000000);
    ts[1].nsec = 1000000000;
    assert_int_equal(CALL_(utimensat, CWD, U("/f"), A(ts), 0), -EINVAL);
    struct statx *x = host_room(sizeof(*x));
    assert_ok(CALL_(statx, CWD, U("/f"), 0, STATX_BASIC_STATS, A(x)));
    assert_int_equal(x->stx_size, 1);
    assert_int_equal(x->stx_atime.tv_sec, -5);
    assert_int_equal(x->stx_atime.tv_nsec, 250);
    assert_int_equal(CALL_(statx, CWD, U("/f"), 0x10000, 0, A(x)), -EINVAL);
    assert_int_equal(CALL_(statx, CWD, U("/f"), 0, 0, HOST_BAD), -EFAULT);
    /* touched by who may write, set only by the owner */
    assert_ok(CALL_(fchmodat, CWD, U("/f"), 0666));
    as_user(9);
    assert_ok(CALL_(utimensat, CWD, U("/f"), 0, 0));
    ts[1].nsec = 0;
    assert_int_equal(CALL_(utimensat, CWD, U("/f"), A(ts), 0), -EPERM);
    as_user(0);
    assert_ok(t_unlink("/f"));
}

/* Whatever allocation fails: an error, and nothing lost or half done. */
static void out_of_memory(void **state)
{
    static const char long_name[] =
        "/tmp/a-name-that-is-longer-than-what-fits-into-the-entry-itself";
    for (int what = 0; what < 9; what++) {
        for (long n = 0;; n++) {
            size_t used = host_used;
            assert_ok(t_mkdir("/tmp/d"));
            t_file("/tmp/f", "x");
            struct host_counts before = host_counts();
            host_fail_after(n);
            long e = -1;
            switch (what) {
            case 0:
                e = t_mkdir("/tmp/d/e");
                break;
            case 1:
                e = t_mkdir(long_name);
                break;
            case 2:
                e = t_symlink("target", "/tmp/d/l");
                break;
            case 3:
                e = CALL_(linkat, CWD, U("/tmp/f"), CWD, U(long_name), 0);
                break;
            case 4:
                e = RENAME("/tmp/f", long_name, 0);
                break;
            case 5:
                e = t_open("/tmp/d/n", O_CREAT | O_RDWR, 0600);
                break;
            case 6:
                e = CALL_(mount, U("x"), U("/tmp/d"), U("tmpfs"), 0, 0);
                break;
            case 7:
                e = t_open("/proc/self/status", O_RDONLY, 0);
                break;
            case 8:
                e = CALL_(getcwd, A(host_room(64)), 64);
                break;
            }
            bool failed = host_failed;
            host_fail_after(-1);
            if (failed) {
                assert_int_equal(e, -ENOMEM);
                struct host_counts now = host_counts();
                if (memcmp(&now, &before, sizeof(now)) != 0) {
                    print_error("call %d, allocation %ld\n", what, n);
                }
                assert_memory_equal(&now, &before, sizeof(now));
            } else {
                assert_true(e >= 0);
            }
            if (what == 5 && e >= 0) {
                t_close(e);
            }
            if (what == 7 && e >= 0) {
                t_close(e);
            }
            CALL_(umount2, U("/tmp/d"), 0);
            t_rmdir("/tmp/d/e");
            t_unlink("/tmp/d/l");
            t_unlink("/tmp/d/n");
            t_rmdir(long_name);
            t_unlink(long_name);
            t_unlink("/tmp/f");
            assert_ok(t_rmdir("/tmp/d"));
            host_used = used;
            if (!failed) {
                break;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(dots_and_slashes),
        T(names_too_long),
        T(symlinks),
        T(symlink_loops),
        T(symlinks_nested),
        T(at_calls),
        T(removed_directories),
        T(renames),
        T(exchange_of_long_names),
        T(permissions),
        T(setgid_directories),
        T(umask_applies),
        T(mounts),
        T(chroots),
        T(open_flags),
        T(exec_checks),
        T(times_and_statx),
        T(out_of_memory),
    };
    return HOST_RUN(tests);
}
