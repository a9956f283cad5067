/*
 * The pointer matrix of calls with names of files.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "matrix.h"

static void without_new(void)
{
    unlink("new");
    rmdir("new");
}

static void with_old(void)
{
    int fd;

    without_new();
    fd = open("old", O_CREAT | O_WRONLY, 0600);
    close(fd);
}

static void with_folder(void)
{
    mkdir("new", 0700);
}

static void back(long result)
{
    (void)result;
    OK(chdir("/tmp"));
}

static char folder[256];

static void here(void)
{
    OK(chdir(folder));
}

static void names(void (*run)(const struct row *))
{
    static char buf[4096];
    static struct stat st;
    static struct statx sx;
    static struct statfs sf;
    static struct timespec times[2] = {{1, 0}, {1, 0}};
    static struct open_how how = {.flags = O_RDONLY};
    const int cwd = AT_FDCWD;

    CHECK(getcwd(folder, sizeof folder) != NULL);
    write_file("f", "");
    OK(symlink("f", "s"));
    const struct row rows[] = {
        {"openat", SYS_openat, {V(cwd), S("f"), V(O_RDONLY), V(0)}, .after = close_result},
        {"openat O_CREAT",
         SYS_openat,
         {V(cwd), S("new"), V(O_RDWR | O_CREAT), V(0600)},
         .after = close_result},
        {"openat2", SYS_openat2, {V(cwd), S("f"), R(&how), V(sizeof how)}, .after = close_result},
        {"newfstatat", SYS_newfstatat, {V(cwd), S("f"), W(&st), V(0)}},
        {"statx", SYS_statx, {V(cwd), S("f"), V(0), V(STATX_BASIC_STATS), W(&sx)}},
        {"readlinkat", SYS_readlinkat, {V(cwd), S("s"), {WRITE, (long)buf, 1}, V(16)}},
        {"faccessat", SYS_faccessat, {V(cwd), S("f"), V(0)}},
        {"faccessat2", SYS_faccessat2, {V(cwd), S("f"), V(0), V(0)}},
        {"getcwd", SYS_getcwd, {{WRITE | LAZY, (long)buf, 256}, V(256)}},
        {"chdir", SYS_chdir, {S(".")}},
        {"chdir away", SYS_chdir, {S("/tmp")}, .before = here, .after = back},
        {"mkdirat", SYS_mkdirat, {V(cwd), S("new"), V(0700)}, .before = without_new},
        {"mknodat",
         SYS_mknodat,
         {V(cwd), S("new"), V(S_IFREG | 0600), V(0)},
         .before = without_new},
        {"unlinkat", SYS_unlinkat, {V(cwd), S("old"), V(0)}, .before = with_old},
        {"rmdir", SYS_unlinkat, {V(cwd), S("new"), V(AT_REMOVEDIR)}, .before = with_folder},
        {"symlinkat", SYS_symlinkat, {S("x"), V(cwd), S("new")}, .before = without_new},
        {"linkat", SYS_linkat, {V(cwd), S("f"), V(cwd), S("new"), V(0)}, .before = without_new},
        {"renameat2",
         SYS_renameat2,
         {V(cwd), S("old"), V(cwd), S("new"), V(0)},
         .before = with_old},
        {"truncate", SYS_truncate, {S("f"), V(0)}},
        {"fchmodat", SYS_fchmodat, {V(cwd), S("f"), V(0644)}},
        {"fchownat", SYS_fchownat, {V(cwd), S("f"), V(-1), V(-1), V(0)}},
        {"utimensat", SYS_utimensat, {V(cwd), SF("f", NULL_OK), RF(&times, NULL_OK), V(0)}},
        {"statfs", SYS_statfs, {S("f"), W(&sf)}},
        {0},
    };
    struct row own[sizeof rows / sizeof rows[0]];
    size_t n = 0;
    for (const struct row *r = rows; r->name; r++) {
        own[n++] = *r;
        if (strcmp(r->name, "chdir away") == 0) {
            n--; /* the race would go on elsewhere */
        }
    }
    own[n].name = NULL;
    run(own);
}

static void attributes(void (*run)(const struct row *))
{
    static char buf[64] = "value";
    int fd;

    write_file("f", "");
    if (setxattr("f", "trusted.t", "v", 1, 0) < 0) {
        SKIP("no trusted attributes here");
    }
    fd = OK(open("f", O_RDWR));
    const struct row rows[] = {
        {"setxattr", SYS_setxattr, {S("f"), S("trusted.t"), {READ, (long)buf, 8}, V(8), V(0)}},
        {"lsetxattr", SYS_lsetxattr, {S("f"), S("trusted.t"), {READ, (long)buf, 8}, V(8), V(0)}},
        {"fsetxattr", SYS_fsetxattr, {V(fd), S("trusted.t"), {READ, (long)buf, 8}, V(8), V(0)}},
        {"getxattr", SYS_getxattr, {S("f"), S("trusted.t"), {WRITE, (long)buf, 8}, V(8)}},
        {"lgetxattr", SYS_lgetxattr, {S("f"), S("trusted.t"), {WRITE, (long)buf, 8}, V(8)}},
        {"fgetxattr", SYS_fgetxattr, {V(fd), S("trusted.t"), {WRITE, (long)buf, 8}, V(8)}},
        {"listxattr", SYS_listxattr, {S("f"), {WRITE, (long)buf, 10}, V(10)}},
        {"llistxattr", SYS_llistxattr, {S("f"), {WRITE, (long)buf, 10}, V(10)}},
        {"flistxattr", SYS_flistxattr, {V(fd), {WRITE, (long)buf, 10}, V(10)}},
        {"removexattr", SYS_removexattr, {S("f"), S("trusted.none")}, .error = ENODATA},
        {"lremovexattr", SYS_lremovexattr, {S("f"), S("trusted.none")}, .error = ENODATA},
        {"fremovexattr", SYS_fremovexattr, {V(fd), S("trusted.none")}, .error = ENODATA},
        {0},
    };
    run(rows);
}

static void unmounted(void)
{
    umount("m");
}

static void mounted(void)
{
    umount("m");
    OK(mount("none", "m", "tmpfs", 0, NULL));
}

static void of_root(void (*run)(const struct row *))
{
    static struct {
        unsigned bytes;
        int type;
    } h;
    static int mount_id;
    static char *argv[] = {"x", NULL};
    int root;

    if (geteuid() != 0) {
        SKIP("not root");
    }
    OK(mkdir("m", 0700));
    write_file("f", "");
    root = OK(open(".", O_RDONLY));
    h.bytes = 1000; /* more than any handle has */
    const struct row rows[] = {
        {"mount",
         SYS_mount,
         {SF("none", NULL_OK), S("m"), SF("tmpfs", NULL_EINVAL), V(0), SF("", NULL_OK)},
         .before = unmounted},
        {"umount2", SYS_umount2, {S("m"), V(0)}, .before = mounted},
        {"chroot", SYS_chroot, {S("/")}},
        {"execve",
         SYS_execve,
         {S("f"), RF(&argv, NULL_OK), RF(&argv, NULL_OK)},
         {{1, 0, SF("x", NULL_OK)}, {2, 0, SF("x", NULL_OK)}},
         .error = EACCES},
        {"execveat",
         SYS_execveat,
         {V(root), S("f"), RF(&argv, NULL_OK), RF(&argv, NULL_OK), V(0)},
         .error = EACCES},
        {"name_to_handle_at",
         SYS_name_to_handle_at,
         {V(AT_FDCWD), S("f"), {READ, (long)&h, 8}, V(&mount_id), V(0)},
         .error = EINVAL},
        {0},
    };
    run(rows);
    unmounted();
}

BOTH(names)
BOTH(attributes)
BOTH(of_root)

const struct test ptrpath_tests[] = {
    {"names", try_names},
    {"race_names", race_names},
    {"attributes", try_attributes},
    {"race_attributes", race_attributes},
    {"of_root", try_of_root},
    {"race_of_root", race_of_root},
    {0},
};
