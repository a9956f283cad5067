/*
 * openat2: its strictness, and the ways it stays inside.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

static long how(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct open_how h = {.flags = flags, .mode = mode, .resolve = resolve};

    return syscall(SYS_openat2, dir, path, &h, sizeof h);
}

static long in(int dir, const char *path, uint64_t resolve)
{
    return how(dir, path, O_RDONLY, 0, resolve);
}

static void fine(long fd)
{
    OK(fd);
    OK(close((int)fd));
}

static void strict(void)
{
    struct {
        struct open_how how;
        uint64_t more;
    } h = {.how = {.flags = O_RDONLY}};

    write_file("f", "");
    fine(how(AT_FDCWD, "f", O_RDONLY | O_CLOEXEC, 0, 0));
    fine(how(AT_FDCWD, "g", O_WRONLY | O_CREAT, 0600, 0));
    ERR(how(AT_FDCWD, "f", O_RDONLY, 0600, 0), EINVAL);
    ERR(how(AT_FDCWD, "f", 1ull << 40, 0, 0), EINVAL);
    ERR(how(AT_FDCWD, "f", O_WRONLY | O_CREAT, 010000, 0), EINVAL);
    ERR(how(AT_FDCWD, "f", O_PATH | O_RDWR, 0, 0), EINVAL);
    ERR(how(AT_FDCWD, "f", O_RDONLY, 0, 1u << 20), EINVAL);
    ERR(how(AT_FDCWD, "f", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT), EINVAL);
    ERR(syscall(SYS_openat2, AT_FDCWD, "f", &h, 8), EINVAL);
    ERR(syscall(SYS_openat2, AT_FDCWD, "f", (void *)8, sizeof h.how), EFAULT);
    fine(syscall(SYS_openat2, AT_FDCWD, "f", &h, sizeof h));
    h.more = 1;
    ERR(syscall(SYS_openat2, AT_FDCWD, "f", &h, sizeof h), E2BIG);
    ERR(syscall(SYS_openat2, AT_FDCWD, "f", &h, 100000), E2BIG);
    fine(in(AT_FDCWD, "f", RESOLVE_CACHED));
    ERR(how(AT_FDCWD, "f", O_WRONLY | O_TRUNC, 0, RESOLVE_CACHED), EAGAIN);
}

/* d/ with a file, links out of it and inside it; its descriptor. */
static int folder(void)
{
    OK(mkdir("d", 0755));
    OK(mkdir("d/e", 0755));
    write_file("f", "outside");
    write_file("d/f", "inside");
    OK(symlink("../f", "d/out"));
    OK(symlink("f", "d/here"));
    OK(symlink("/f", "d/abs"));
    OK(symlink("e/../f", "d/round"));
    OK(symlink("/e", "d/abs_e"));
    return OK(open("d", O_RDONLY | O_DIRECTORY));
}

static void beneath(void)
{
    int d = folder();

    fine(in(d, "f", RESOLVE_BENEATH));
    fine(in(d, "here", RESOLVE_BENEATH));
    fine(in(d, "e/../f", RESOLVE_BENEATH));
    fine(in(d, "round", RESOLVE_BENEATH));
    fine(in(d, ".", RESOLVE_BENEATH));
    ERR(in(d, "..", RESOLVE_BENEATH), EXDEV);
    ERR(in(d, "../d/f", RESOLVE_BENEATH), EXDEV);
    ERR(in(d, "out", RESOLVE_BENEATH), EXDEV);
    ERR(in(d, "abs", RESOLVE_BENEATH), EXDEV);
    ERR(in(d, "/", RESOLVE_BENEATH), EXDEV);
    ERR(in(d, "e/../../f", RESOLVE_BENEATH), EXDEV);
    ERR(how(d, "out", O_WRONLY | O_CREAT, 0600, RESOLVE_BENEATH), EXDEV);
    fine(how(d, "new", O_WRONLY | O_CREAT | O_EXCL, 0600, RESOLVE_BENEATH));
    OK(access("d/new", F_OK));
}

static void in_root(void)
{
    struct stat want, got;
    int d = folder();
    static const char *const names[] = {"f",   "/f",         "../f",       "out",
                                        "abs", "../../../f", "/abs_e/../f"};

    OK(stat("d/f", &want));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int fd = (int)OK(in(d, names[i], RESOLVE_IN_ROOT));
        OK(fstat(fd, &got));
        if (got.st_ino != want.st_ino) {
            FAIL("%s leads out", names[i]);
        }
        OK(close(fd));
    }
    ERR(in(d, "/proc/self/stat", RESOLVE_IN_ROOT), ENOENT);
}

static void without_links(void)
{
    int d = folder(), fd;

    fine(in(d, "f", RESOLVE_NO_SYMLINKS));
    ERR(in(d, "here", RESOLVE_NO_SYMLINKS), ELOOP);
    ERR(in(d, "abs_e/x", RESOLVE_NO_SYMLINKS), ELOOP);
    fd = (int)OK(how(d, "here", O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS));
    OK(close(fd));
    fine(in(d, "here", RESOLVE_NO_MAGICLINKS));
    ERR(in(AT_FDCWD, "/proc/self/cwd", RESOLVE_NO_MAGICLINKS), ELOOP);
    ERR(in(AT_FDCWD, "/proc/self/exe", RESOLVE_NO_SYMLINKS), ELOOP);
    ERR(in(AT_FDCWD, "/proc/self/exe", RESOLVE_NO_MAGICLINKS), ELOOP);
}

static void one_file_system(void)
{
    int root = OK(open("/", O_RDONLY)), d = folder();

    ERR(in(root, "proc/self/stat", RESOLVE_NO_XDEV), EXDEV);
    ERR(in(root, "proc", RESOLVE_NO_XDEV), EXDEV);
    fine(in(root, ".", RESOLVE_NO_XDEV));
    fine(in(d, "f", RESOLVE_NO_XDEV));
    fine(in(d, "out", RESOLVE_NO_XDEV));
    ERR(in(d, "/proc/self/exe", RESOLVE_NO_XDEV), EXDEV);
}

const struct test resolve_tests[] = {
    {"strict", strict},
    {"beneath", beneath},
    {"in_root", in_root},
    {"without_links", without_links},
    {"one_file_system", one_file_system},
    {NULL, NULL},
};
