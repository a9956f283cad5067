/*
 * File systems that are made of what the system says of itself: fsync, chmod, chown and times of what is there.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static unsigned mode_of(const char *path)
{
    struct stat st;
    OK(stat(path, &st));
    return st.st_mode & 07777;
}

static void synced(const char *path, int error)
{
    int fd = OK(open(path, O_RDONLY));
    if (error != 0) {
        ERR(fsync(fd), error);
        ERR(fdatasync(fd), error);
    } else {
        OK(fsync(fd));
        OK(fdatasync(fd));
    }
    OK(close(fd));
}

static void sync_of(void)
{
    synced("/proc/uptime", EINVAL);
    synced("/proc/self/stat", EINVAL);
    synced("/proc/sys/kernel/ostype", EINVAL);
    synced("/proc", EINVAL);
    synced("/proc/self", EINVAL);
    synced("/proc/self/fd", EINVAL);
    synced("/dev/null", EINVAL);
    synced("/tmp", 0);
    synced("/dev", 0);
    synced(".", 0);
    write_file("f", "x");
    synced("f", 0);
    ERR(fsync(-1), EBADF);
    ERR(fsync(OK(open("f", O_PATH))), EBADF);
}

static void as_root(void)
{
    if (geteuid() != 0) {
        SKIP("needs root");
    }
}

/* What is of a process: its owner is written down and its mode is not to be changed. */
static void of_a_process(void)
{
    int fd = OK(open("/proc/self/stat", O_RDONLY));
    struct timespec t[2] = {{100, 0}, {100, 0}};
    as_root();
    ERR(fchmod(fd, 0400), EPERM);
    ERR(chmod("/proc/self/maps", 0400), EPERM);
    ERR(chmod("/proc/self/fd", 0777), EPERM);
    ERR(chmod("/proc/self/", 0777), EPERM);
    OK(fchown(fd, (uid_t)-1, (gid_t)-1));
    OK(fchown(fd, 0, 0));
    OK(futimens(fd, t));
    OK(close(fd));
}

static void of_the_system(void)
{
    struct stat st;
    int fd = OK(open("/proc/uptime", O_RDONLY));
    unsigned before = mode_of("/proc/uptime");
    pid_t pid;
    as_root();
    OK(fchmod(fd, 0400));
    EQ(mode_of("/proc/uptime"), 0400);
    OK(close(fd));
    EQ(mode_of("/proc/uptime"), 0400); /* kept while nobody looks */
    CHILD(pid)
    {
        OK(setuid(65534));
        ERR(open("/proc/uptime", O_RDONLY), EACCES);
        ERR(chmod("/proc/uptime", 0444), EPERM);
    }
    wait_ok(pid);
    OK(chown("/proc/uptime", 65534, 65533));
    OK(stat("/proc/uptime", &st));
    EQ(st.st_uid, 65534);
    EQ(st.st_gid, 65533);
    CHILD(pid)
    {
        OK(setuid(65534));
        OK(close(OK(open("/proc/uptime", O_RDONLY))));
        OK(chmod("/proc/uptime", 0600));
    }
    wait_ok(pid);
    EQ(mode_of("/proc/uptime"), 0600);
    OK(chown("/proc/uptime", 0, 0));
    OK(chmod("/proc/uptime", before));
    EQ(mode_of("/proc/uptime"), before);
}

static void of_settings(void)
{
    struct timespec t[2] = {{100, 0}, {100, 0}};
    as_root();
    ERR(chmod("/proc/sys/kernel/ostype", 0600), EPERM);
    ERR(chown("/proc/sys/kernel/ostype", 0, 0), EPERM);
    ERR(chmod("/proc/sys/kernel", 0700), EPERM);
    ERR(chmod("/proc/sys", 0700), EPERM);
    OK(utimensat(AT_FDCWD, "/proc/sys/kernel/ostype", t, 0));
}

static void of_sysfs(void)
{
    const char *file = "/sys/devices/system/cpu/online";
    if (access(file, R_OK) != 0) {
        SKIP("no sysfs here");
    }
    as_root();
    unsigned before = mode_of(file);
    synced(file, 0);
    OK(chmod(file, 0400));
    EQ(mode_of(file), 0400);
    OK(chmod(file, before));
    ERR(mkdir("/sys/devices/new", 0755), EPERM);
}

const struct test fixed_tests[] = {
    {"sync_of", sync_of},         {"of_a_process", of_a_process}, {"of_the_system", of_the_system},
    {"of_settings", of_settings}, {"of_sysfs", of_sysfs},         {0},
};
