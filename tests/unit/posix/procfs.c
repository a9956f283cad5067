/*
 * procfs: the tree, the links, who may look; texts in their broad form.
 * test-sources: posix/fs/?*.c posix/fd/?*.c posix/path/?*.c posix/poll/?*.c posix/event/?*.c
 */
#include "host/host.h"

static char *whole(const char *path)
{
    long fd = t_open(path, O_RDONLY, 0);
    if (fd < 0) {
        return NULL;
    }
    char *text = t_read(fd, 20000);
    assert_string_equal(t_read(fd, 100), "");
    assert_ok(t_close(fd));
    return text;
}

/* Names in a directory, separated by spaces. */
static char *names(const char *path)
{
    char *buf = host_room(4096), *out = host_room(4096);
    long fd = t_open(path, O_RDONLY | O_DIRECTORY, 0), got;
    size_t n = 0;
    assert_true(fd >= 0);
    while ((got = CALL_(getdents64, (uint64_t)fd, A(buf), 120)) > 0) {
        for (long at = 0; at < got;) {
            const struct abi_dirent *d = (const void *)(buf + at);
            n += (size_t)snprintf(out + n, 4096 - n, "%s ", d->name);
            at += d->reclen;
        }
    }
    assert_int_equal(got, 0);
    assert_ok(t_close(fd));
    return out;
}

static char *link_text(const char *path)
{
    char *buf = host_room(256);
    long n = CALL_(readlinkat, CWD, U(path), A(buf), 255);
    if (n < 0) {
        return NULL;
    }
    buf[n] = 0;
    return buf;
}

static void system_files(void **state)
{
    static const char *const files[] = {
        "cmdline",
        "cpuinfo",
        "devices",
        "filesystems",
        "loadavg",
        "meminfo",
        "modules",
        "mounts",
        "partitions",
        "stat",
        "swaps",
        "uptime",
        "version",
        "sys/kernel/hostname",
        "sys/kernel/osrelease",
        "sys/kernel/ostype",
        "sys/kernel/version",
        "sys/kernel/pid_max",
        "sys/kernel/random/uuid",
        "sys/kernel/random/boot_id",
        "sys/fs/file-nr",
        "nexus/leak",
        "nexus/log",
        "self/mounts",
        "self/mountinfo",
        "self/auxv",
        "self/smaps",
        "self/io",
        "self/oom_score",
        "self/task/1/children",
        "vmstat",
        "interrupts",
        "diskstats",
        "misc",
        "locks",
        "consoles",
        "cgroups",
        "sys/vm/overcommit_memory",
        "sys/fs/file-max",
        "sys/kernel/core_pattern",
    };
    char path[64];
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "/proc/%s", files[i]);
        assert_non_null(whole(path));
        assert_int_equal(t_open(path, O_WRONLY, 0) >= 0, true); /* root may; writing says no */
        CALL_(close_range, 0, 100, 0);
    }
    assert_string_equal(whole("/proc/cmdline"), "quiet\n");
    assert_non_null(strstr(whole("/proc/meminfo"), "MemTotal:         262144 kB\nMemFree: "));
    assert_string_equal(whole("/proc/loadavg"), "1.05 0.50 0.07 1/1 1\n");
    assert_memory_equal(whole("/proc/stat"), "cpu  12 0 3 ", 12);
    assert_non_null(strstr(whole("/proc/filesystems"), "nodev\ttmpfs\n"));
    assert_non_null(
        strstr(whole("/proc/mounts"), "devtmpfs /dev devtmpfs rw,nosuid,relatime 0 0\n"));
    assert_non_null(strstr(whole("/proc/nexus/leak"), "open_files 1\n"));
    assert_string_not_equal(whole("/proc/sys/kernel/random/uuid"),
                            whole("/proc/sys/kernel/random/uuid"));
    assert_string_equal(whole("/proc/sys/kernel/random/boot_id"),
                        whole("/proc/sys/kernel/random/boot_id"));
    assert_int_equal(t_open("/proc/new", O_WRONLY | O_CREAT, 0600), -ENOENT);
    assert_int_equal(t_mkdir("/proc/new"), -ENOENT);
    assert_int_equal(t_unlink("/proc/stat"), -EPERM);
    assert_int_equal(CALL_(fchmodat, CWD, U("/proc/1/stat"), 0777), -EPERM);
    assert_int_equal(CALL_(fchmodat, CWD, U("/proc/sys/kernel/ostype"), 0777), -EPERM);
    assert_ok(CALL_(fchmodat, CWD, U("/proc/stat"), 0700)); /* kept by nothing but its name */
    assert_int_equal(t_stat("/proc/stat")->mode, S_IFREG | 0700);
    assert_ok(CALL_(fchmodat, CWD, U("/proc/stat"), 0444));
    assert_int_equal(t_stat("/proc/stat")->mode, S_IFREG | 0444);
    assert_int_equal(t_open("/proc/01", O_RDONLY, 0), -ENOENT);
    assert_int_equal(t_open("/proc/999", O_RDONLY, 0), -ENOENT);
    assert_int_equal(t_open("/proc/99999999999", O_RDONLY, 0), -ENOENT);
    as_user(1000);
    assert_int_equal(t_open("/proc/nexus/leak", O_RDONLY, 0), -EACCES);
    as_user(0);
    /* in portions, and again from the start */
    long fd = t_open("/proc/meminfo", O_RDONLY, 0);
    char *a = t_read(fd, 10), *b = t_read(fd, 1000);
    assert_int_equal(CALL_(lseek, (uint64_t)fd, 0, SEEK_SET), 0);
    char *all = t_read(fd, 1000);
    assert_memory_equal(all, a, 10);
    assert_string_equal(all + 10, b);
    char *buf = host_room(8);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, A(buf), 8, 3), 8);
    assert_memory_equal(buf, all + 3, 8);
    assert_int_equal(CALL_(pread64, (uint64_t)fd, HOST_BAD, 8, 3), -EFAULT);
    assert_ok(t_close(fd));
}

static void tree(void **state)
{
    char *n = names("/proc");
    assert_non_null(strstr(n, " meminfo "));
    assert_non_null(strstr(n, " 1 "));
    assert_int_equal(strncmp(n, ". .. ", 5), 0);
    n = names("/proc/1");
    assert_non_null(strstr(n, " stat "));
    assert_non_null(strstr(n, " entropy "));
    assert_string_equal(names("/proc/1/task"), ". .. 1 ");
    assert_null(strstr(names("/proc/1/task/1"), " task "));
    assert_int_equal(t_stat("/proc/1/stat")->ino, t_stat("/proc/1/stat")->ino);
    assert_int_not_equal(t_stat("/proc/1/stat")->ino, t_stat("/proc/1/task/1/stat")->ino);
    assert_int_equal(t_stat("/proc/1/..")->ino, t_stat("/proc")->ino);
    assert_ok(CALL_(chdir, U("/proc/1/task/1")));
    char *buf = host_room(64);
    CALL_(getcwd, A(buf), 64);
    assert_string_equal(buf, "/proc/1/task/1");
    assert_ok(CALL_(chdir, U("../..")));
    CALL_(getcwd, A(buf), 64);
    assert_string_equal(buf, "/proc/1");
    assert_ok(CALL_(chdir, U("/")));
}

/* What the program's memory has there, also a title over it that goes on over the environment. */
static void arguments(void **state)
{
    char area[] = "sh\0-c\0x\0A=1\0B=";
    uint64_t start = (uint64_t)area, behind = start + 8;
    host_layout = (struct mm_layout){.arg_start = start,
                                     .arg_end = behind,
                                     .env_start = behind,
                                     .env_end = start + sizeof(area)};
    current->mm = (struct mm *)area;
    assert_memory_equal(whole("/proc/1/cmdline"), "sh\0-c\0x", 8);
    assert_memory_equal(whole("/proc/1/environ"), "A=1\0B=", 7);
    memcpy(area, "a title: x", 11);
    assert_memory_equal(whole("/proc/1/cmdline"), "a title: x", 11);
    host_layout.env_start++; /* not behind the arguments: the title ends with them */
    assert_string_equal(whole("/proc/1/cmdline"), "a title:");
    current->mm = NULL;
    assert_string_equal(whole("/proc/1/cmdline"), "");
    memset(&host_layout, 0, sizeof(host_layout));
}

static void process_files(void **state)
{
    static const char *const files[] = {"cmdline", "comm",    "environ",      "limits",
                                        "maps",    "mounts",  "stat",         "statm",
                                        "status",  "entropy", "oom_score_adj"};
    char path[64];
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "/proc/self/%s", files[i]);
        assert_non_null(whole(path));
    }
    assert_memory_equal(whole("/proc/1/stat"),
                        "1 (test1) R 0 0 0 0 -1 0 0 0 0 0 12 3 0 0 20 0 1 0 ", 50);
    const char *s = whole("/proc/1/stat");
    int spaces = 0;
    while (*s != 0) {
        spaces += *s++ == ' ';
    }
    assert_int_equal(spaces, 51); /* 52 fields */
    s = whole("/proc/1/status");
    assert_non_null(strstr(s, "Name:\ttest1\n"));
    assert_non_null(strstr(s, "State:\tR (running)\n"));
    assert_non_null(strstr(s, "Uid:\t0\t0\t0\t0\n"));
    assert_non_null(strstr(whole("/proc/1/limits"), "Max open files            1024 "));
    long fd = t_open("/proc/self/comm", O_RDWR, 0);
    assert_int_equal(t_write(fd, "a-name-much-too-long\n"), 21);
    assert_ok(t_close(fd));
    assert_string_equal(whole("/proc/1/comm"), "a-name-much-too\n");
    snprintf(current->comm, 16, "test1");
    /* a zombie stays readable, a process that is gone says so */
    struct process *z = host_process_make();
    z->zombie = true;
    snprintf(z->comm, 16, "dead");
    int pid = z->pid;
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    fd = t_open(path, O_RDONLY, 0);
    assert_non_null(strstr(t_read(fd, 400), " (dead) Z "));
    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    assert_string_equal(whole(path), "");
    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    assert_string_equal(names(path), ". .. ");
    snprintf(path, sizeof(path), "/proc/%d/exe", pid);
    assert_null(link_text(path));
    snprintf(path, sizeof(path), "/proc/%d", pid);
    long dir = t_open(path, O_RDONLY, 0);
    host_process_free(z);
    CALL_(lseek, (uint64_t)fd, 0, SEEK_SET);
    char *buf = host_room(256);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(buf), 100), -ESRCH);
    assert_int_equal(CALL_(getdents64, (uint64_t)dir, A(buf), 256), -ENOENT);
    assert_int_equal(CALL_(openat, (uint64_t)dir, U("stat"), 0, 0), -ENOENT);
    host_next_pid = pid; /* another process by the same number is not the same */
    z = host_process_make();
    assert_int_equal(CALL_(read, (uint64_t)fd, A(buf), 100), -ESRCH);
    host_process_free(z);
    assert_ok(t_close(fd));
    assert_ok(t_close(dir));
}

static void links(void **state)
{
    assert_string_equal(link_text("/proc/self"), "1");
    assert_string_equal(link_text("/proc/thread-self"), "1/task/1");
    assert_string_equal(link_text("/proc/mounts"), "self/mounts");
    assert_string_equal(link_text("/proc/self/cwd"), "/");
    assert_ok(CALL_(chdir, U("/tmp")));
    assert_string_equal(link_text("/proc/self/cwd"), "/tmp");
    assert_int_equal(t_stat("/proc/self/cwd/.")->ino, t_stat("/tmp")->ino);
    assert_ok(CALL_(chdir, U("/")));
    assert_int_equal(t_stat("/proc/self/")->ino, t_stat("/proc/1")->ino);
    assert_int_equal(t_stat("/proc/thread-self/.")->ino, t_stat("/proc/1/task/1")->ino);
    t_file("/tmp/f", "content");
    long fd = t_open("/tmp/f", O_RDWR, 0);
    assert_int_equal(fd, 0);
    assert_string_equal(names("/proc/self/fd"), ". .. 0 1 "); /* and the one that lists */
    assert_string_equal(link_text("/proc/self/fd/0"), "/tmp/f");
    assert_string_equal(link_text("/dev/fd/0") == NULL ? "" : link_text("/dev/stdin"),
                        "/proc/self/fd/0");
    assert_ok(CALL_(renameat2, CWD, U("/tmp/f"), CWD, U("/tmp/g"), 0));
    assert_string_equal(link_text("/proc/self/fd/0"), "/tmp/g");
    assert_ok(t_unlink("/tmp/g"));
    assert_string_equal(link_text("/proc/self/fd/0"), "/tmp/g (deleted)");
    assert_string_equal(whole("/proc/self/fd/0"), "content"); /* opens what has no name any more */
    assert_string_equal(whole("/dev/stdin"), "content");
    assert_ok(t_close(fd));
    assert_null(link_text("/proc/self/fd/0"));
    int32_t *fds = host_room(8);
    assert_ok(CALL_(pipe2, A(fds), 0));
    assert_memory_equal(link_text("/proc/self/fd/1"), "pipe:[", 6);
    t_write(fds[1], "piped");
    assert_ok(t_close(fds[1]));
    fd = t_open("/proc/self/fd/0", O_RDONLY, 0); /* a pipe once more: does not wait for a writer */
    assert_string_equal(t_read(fd, 10), "piped");
    assert_memory_equal(link_text("/proc/self/fd/1"), "pipe", 4);
    assert_ok(t_close(fd));
    assert_ok(t_close(fds[0]));
    struct file *exe;
    t_file("/tmp/x", "");
    assert_ok(vfs_open("/tmp/x", O_RDONLY, 0, &exe));
    assert_null(link_text("/proc/self/exe"));
    current->proc->exe = exe;
    assert_string_equal(link_text("/proc/self/exe"), "/tmp/x");
    assert_int_equal(t_stat("/proc/self/exe")->mode & S_IFMT, S_IFLNK);
    current->proc->exe = NULL;
    file_unref(exe);
    assert_ok(t_unlink("/tmp/x"));
}

static void strangers_see_less(void **state)
{
    as_user(1000);
    struct process *other = host_process_make();
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/stat", other->pid);
    assert_non_null(whole(path));
    snprintf(path, sizeof(path), "/proc/%d/environ", other->pid);
    assert_int_equal(t_open(path, O_RDONLY, 0), -EACCES);
    snprintf(path, sizeof(path), "/proc/%d/maps", other->pid);
    long fd = t_open(path, O_RDONLY, 0);
    assert_int_equal(CALL_(read, (uint64_t)fd, A(host_room(8)), 8), -EACCES);
    assert_ok(t_close(fd));
    snprintf(path, sizeof(path), "/proc/%d/fd", other->pid);
    assert_int_equal(t_open(path, O_RDONLY, 0), -EACCES);
    snprintf(path, sizeof(path), "/proc/%d/cwd", other->pid);
    assert_null(link_text(path));
    assert_int_equal(t_stat("/proc/self/stat")->uid, 1000);
    host_process_free(other);
    as_user(0);
}

static void out_of_memory(void **state)
{
    for (long n = 0;; n++) {
        size_t used = host_used;
        host_fail_after(n);
        long fd = t_open("/proc/thread-self/status", O_RDONLY, 0);
        long got = fd < 0 ? fd : CALL_(read, (uint64_t)fd, A(host_room(4096)), 4096);
        bool failed = host_failed;
        host_fail_after(-1);
        assert_true(failed ? got == -ENOMEM : got > 100);
        if (fd >= 0) {
            assert_ok(t_close(fd));
        }
        host_used = used;
        if (!failed) {
            return;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(system_files),       T(tree),          T(arguments), T(process_files), T(links),
        T(strangers_see_less), T(out_of_memory),
    };
    return HOST_RUN(tests);
}
