/*
 * Random calls about attributes, times and ways to open, each made by us and by the Linux the test runs on.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 *
 * Skipped where there is no /dev/shm to write to, or it has no attributes for users.
 */
#include "host/against_linux.h"

#include <linux/openat2.h>
#include <sys/xattr.h>

static const char *attribute(void)
{
    static const char *const names[] = {"user.a",    "user.b",     "trusted.a", "security.a",
                                        "trusted.b", "user.",      "system.x",  "none",
                                        "",          "security.b", "user.a",    "user.b"};
    return names[rnd(12)];
}

/* A list of names has no order: compared by length and by sum. */
static long sum(const char *names, long n)
{
    long total = 0;
    for (long i = 0; i < n; i++) {
        total += names[i];
    }
    return total;
}

static void one_attribute_call(void)
{
    static char theirs_buf[256];
    const char *a = name(), *x = attribute();
    static const uint32_t ids[3] = {0, 1000, 2000};
    uint32_t user = ids[rnd(3)];
    unsigned n = rnd(40), flags = rnd(4) == 0 ? rnd(4) : 0, mode = rnd(01000);
    bool follow = rnd(2);
    long ours, theirs;
    a = *x != 0 ? a : "."; /* two errors at once: which is told depends on the version */
    if (leads_out(a, 1)) {
        return;
    }
    become(user);
    switch (rnd(8)) {
    case 0:
    case 1:
        memset(theirs_buf, 'v', n);
        SAY("%u: setxattr %s %s %u flags %u", user, a, x, n, flags);
        if (follow) {
            compare(CALL_(setxattr, U(a), U(x), A(memset(host_room(n + 1), 'v', n)), n, flags),
                    linux_(syscall(SYS_setxattr, a, x, theirs_buf, n, flags)));
        } else {
            compare(CALL_(lsetxattr, U(a), U(x), A(memset(host_room(n + 1), 'v', n)), n, flags),
                    linux_(syscall(SYS_lsetxattr, a, x, theirs_buf, n, flags)));
        }
        break;
    case 2: {
        char *buf = host_room(64);
        SAY("%u: getxattr %s %s %u", user, a, x, n);
        ours = CALL_(getxattr, U(a), U(x), A(buf), n);
        theirs = linux_(syscall(SYS_getxattr, a, x, theirs_buf, n));
        compare(ours, theirs);
        if (ours > 0 && n > 0) {
            assert_memory_equal(buf, theirs_buf, (size_t)ours);
        }
        break;
    }
    case 3: {
        char *buf = host_room(256);
        n = rnd(3) == 0 ? n : 256;
        SAY("%u: listxattr %s %u", user, a, n);
        ours = CALL_(llistxattr, U(a), A(buf), n);
        theirs = linux_(syscall(SYS_llistxattr, a, theirs_buf, n));
        compare(ours, theirs);
        if (ours > 0 && n > 0) {
            compare(sum(buf, ours), sum(theirs_buf, theirs));
        }
        break;
    }
    case 4:
        SAY("%u: removexattr %s %s", user, a, x);
        compare(CALL_(lremovexattr, U(a), U(x)), linux_(syscall(SYS_lremovexattr, a, x)));
        break;
    case 5:
        SAY("%u: mkdir %s %o", user, a, mode | 0300);
        compare(CALL_(mkdirat, CWD, U(a), mode | 0300), linux_(mkdirat(AT_FDCWD, a, mode | 0300)));
        break;
    case 6: {
        const char *to = name();
        SAY("%u: symlink %s %s", user, to, a);
        if (!leads_out(to, 1)) {
            compare(CALL_(symlinkat, U(to), CWD, U(a)), linux_(symlinkat(to, AT_FDCWD, a)));
        }
        break;
    }
    default:
        SAY("%u: open %s O_CREAT %o", user, a, mode);
        ours = CALL_(openat, CWD, U(a), O_CREAT | O_WRONLY, mode);
        theirs = linux_(syscall(SYS_openat, AT_FDCWD, a, O_CREAT | O_WRONLY, mode));
        compare(ours < 0 ? ours : 0, theirs < 0 ? theirs : 0);
        if (ours >= 0) {
            t_close(ours);
            close((int)theirs);
        }
    }
    become(0);
    compare_stat(a);
}

/* ---- openat2 and times ---- */

/* A folder somewhere below, the same for both: descriptors, or false. */
static bool folder(int fd[2])
{
    const char *a = name();
    struct open_how *h = host_room(sizeof(*h));
    *h = (struct open_how){.flags = O_RDONLY | O_DIRECTORY, .resolve = RESOLVE_IN_ROOT};
    SAY("openat2 folder %s", a);
    fd[0] = (int)CALL_(openat2, CWD, U(a), A(h), sizeof(*h));
    fd[1] = (int)linux_(syscall(SYS_openat2, AT_FDCWD, a, h, sizeof(*h)));
    compare(fd[0] < 0 ? fd[0] : 0, fd[1] < 0 ? fd[1] : 0);
    return fd[0] >= 0;
}

/* Links lead anywhere here, so other calls than openat2 get one part of a name only. */
static void change(void)
{
    static const char *const part[] = {"a", "b", "c", "dd"};
    const char *a = part[rnd(4)], *b = name();
    int fd[2];
    if (!folder(fd)) {
        return;
    }
    uint64_t dir = (uint64_t)fd[0];
    switch (rnd(4)) {
    case 0:
        SAY("mkdir %s", a);
        compare(CALL_(mkdirat, dir, U(a), 0755), linux_(mkdirat(fd[1], a, 0755)));
        break;
    case 1:
        SAY("unlink %s", a);
        compare(CALL_(unlinkat, dir, U(a), 0), linux_(unlinkat(fd[1], a, 0)));
        break;
    default: {
        char text[96];
        snprintf(text, sizeof(text), "%s%s", rnd(4) == 0 ? "/" : "", b);
        SAY("symlink %s %s", text, a);
        compare(CALL_(symlinkat, U(text), dir, U(a)), linux_(symlinkat(text, fd[1], a)));
    }
    }
    t_close(fd[0]);
    close(fd[1]);
}

static void one_open_call(void)
{
    static const unsigned how[] = {O_RDONLY,
                                   O_PATH,
                                   O_RDONLY | O_DIRECTORY,
                                   O_RDWR | O_CREAT,
                                   O_RDONLY | O_NOFOLLOW,
                                   O_WRONLY | O_CREAT | O_EXCL};
    const char *a = name();
    struct open_how *h = host_room(sizeof(*h));
    if (rnd(3) == 0) {
        change();
        return;
    }
    *h = (struct open_how){.flags = how[rnd(6)] | O_NONBLOCK, .resolve = rnd(3) ? 0 : rnd(8)};
    if ((h->flags & O_PATH) != 0) {
        h->flags = O_PATH | (rnd(2) ? O_NOFOLLOW : 0);
    }
    h->resolve |= rnd(2) ? RESOLVE_BENEATH : RESOLVE_IN_ROOT;
    h->mode = (h->flags & O_CREAT) != 0 ? 0600 : 0;
    char text[96];
    snprintf(text, sizeof(text), "%s%s", rnd(6) == 0 ? "/" : "", a);
    SAY("openat2 %s flags %llo resolve %llx", text, h->flags, h->resolve);
    long ours = CALL_(openat2, CWD, U(text), A(h), sizeof(*h));
    long theirs = linux_(syscall(SYS_openat2, AT_FDCWD, text, h, sizeof(*h)));
    compare(ours < 0 ? ours : 0, theirs < 0 ? theirs : 0);
    if (ours >= 0) {
        t_close(ours);
        close((int)theirs);
    }
}

static void one_time_call(void)
{
    static const long nsec[] = {0, 5, UTIME_NOW, UTIME_OMIT, 999999999, 1000000000, -1};
    static const uint32_t ids[3] = {0, 1000, 2000};
    const char *a = name();
    uint32_t user = ids[rnd(3)];
    struct timespec t[2] = {{.tv_sec = rnd(5), .tv_nsec = nsec[rnd(7)]},
                            {.tv_sec = rnd(5), .tv_nsec = nsec[rnd(7)]}};
    struct timespec *o = host_room(sizeof(t));
    unsigned mode = rnd(01000), flags = rnd(2) ? AT_SYMLINK_NOFOLLOW : 0;
    if (leads_out(a, 1)) {
        return;
    }
    become(user);
    memcpy(o, t, sizeof(t));
    if (rnd(3) == 0) {
        SAY("%u: open %s %o", user, a, mode);
        long ours = CALL_(openat, CWD, U(a), O_CREAT | O_WRONLY, mode);
        long theirs = linux_(syscall(SYS_openat, AT_FDCWD, a, O_CREAT | O_WRONLY, mode));
        compare(ours < 0 ? ours : 0, theirs < 0 ? theirs : 0);
        t_close(ours);
        if (theirs >= 0) {
            close((int)theirs);
        }
    } else {
        SAY("%u: utimens %s %ld %ld flags %u", user, a, t[0].tv_nsec, t[1].tv_nsec, flags);
        compare(CALL_(utimensat, CWD, U(a), A(o), flags),
                linux_(syscall(SYS_utimensat, AT_FDCWD, a, t, flags)));
    }
    become(0);
    struct abi_stat *os = host_room(sizeof(*os));
    struct stat ls;
    long ours = CALL_(newfstatat, CWD, U(a), A(os), AT_SYMLINK_NOFOLLOW);
    compare(ours, linux_(fstatat(AT_FDCWD, a, &ls, AT_SYMLINK_NOFOLLOW)));
    if (ours == 0 && (os->atime < 10 || ls.st_atim.tv_sec < 10)) { /* else it is now */
        compare(os->atime, ls.st_atim.tv_sec);
        compare((long)os->atime_nsec, ls.st_atim.tv_nsec);
    }
    if (ours == 0 && (os->mtime < 10 || ls.st_mtim.tv_sec < 10)) {
        compare(os->mtime, ls.st_mtim.tv_sec);
        compare((long)os->mtime_nsec, ls.st_mtim.tv_nsec);
    }
}

static void many(void (*call)(void), uint32_t prime)
{
    char folder[32], command[64];
    for (uint32_t round = 1; round <= 10; round++) {
        snprintf(folder, sizeof(folder), "/dev/shm/nexus-XXXXXX");
        if (geteuid() != 0 || mkdtemp(folder) == NULL || chdir(folder) != 0) {
            skip();
        }
        if (setxattr(".", "user.probe", "", 0, 0) != 0 || removexattr(".", "user.probe") != 0) {
            assert_int_equal(rmdir(folder), 0);
            skip();
        }
        umask(022);
        seed = round * prime;
        assert_int_equal(chmod(folder, 0777), 0);
        assert_ok(CALL_(mount, U("x"), U("/mnt"), U("tmpfs"), 0, U("mode=777")));
        assert_ok(CALL_(chdir, U("/mnt")));
        for (int i = 0; i < 3000; i++) {
            size_t used = host_used;
            call();
            host_used = used;
        }
        assert_ok(CALL_(chdir, U("/")));
        assert_ok(CALL_(umount2, U("/mnt"), 0));
        assert_int_equal(chdir("/"), 0);
        snprintf(command, sizeof(command), "rm -rf %s", folder);
        assert_int_equal(system(command), 0);
    }
}

static void random_attributes(void **state)
{
    many(one_attribute_call, 7919);
}

static void random_ways_to_open(void **state)
{
    many(one_open_call, 15485863);
}

static void random_times(void **state)
{
    many(one_time_call, 32452843);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(random_attributes),
        T(random_ways_to_open),
        T(random_times),
    };
    return cmocka_run_group_tests(tests, make_mnt, host_end);
}
