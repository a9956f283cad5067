/*
 * What /proc and /sys tell beyond the process list, and what can be set there.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "test.h"

static char text[65536];

static const char *read_text(const char *path)
{
    int fd = OK(open(path, O_RDONLY));
    size_t n = 0;
    ssize_t got;

    while ((got = OK(read(fd, text + n, sizeof text - 1 - n))) > 0) {
        n += (size_t)got;
    }
    text[n] = 0;
    OK(close(fd));
    return text;
}

static long put(const char *path, const char *what)
{
    int fd = open(path, O_WRONLY);
    long n;

    if (fd < 0) {
        return -1;
    }
    n = write(fd, what, strlen(what));
    int saved = errno;
    close(fd);
    errno = saved;
    return n;
}

static long field(const char *name)
{
    const char *at = strstr(text, name);

    if (!at) {
        FAIL("no %s in %s", name, text);
    }
    return strtol(at + strlen(name), NULL, 0);
}

static void descriptor_info(void)
{
    char path[64];
    int fd = OK(open("f", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    struct stat st;

    EQ(write(fd, "hello", 5), 5);
    OK(fstat(fd, &st));
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    read_text(path);
    EQ(field("pos:\t"), 5);
    EQ(field("flags:\t"), O_RDWR | O_APPEND | O_CLOEXEC | O_LARGEFILE);
    EQ(field("ino:\t"), (long)st.st_ino);
    CHECK(field("mnt_id:\t") > 0);
    OK(fcntl(fd, F_SETLK, &(struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10}));
    CHECK(strstr(read_text(path), "POSIX  ADVISORY  WRITE"));
    CHECK(strstr(read_text("/proc/locks"), "POSIX  ADVISORY  WRITE"));
    OK(close(fd));
    ERR(open(path, O_RDONLY), ENOENT);
}

static void auxiliary_vector(void)
{
    int fd = OK(open("/proc/self/auxv", O_RDONLY));
    Elf64_auxv_t v[40];
    ssize_t n = OK(read(fd, v, sizeof v));
    bool page = false, end = false;

    for (size_t i = 0; i < (size_t)n / sizeof v[0] && !end; i++) {
        page |= v[i].a_type == AT_PAGESZ && v[i].a_un.a_val == page_size();
        end = v[i].a_type == AT_NULL;
        CHECK(end || getauxval(v[i].a_type) == v[i].a_un.a_val);
    }
    CHECK(page && end);
}

static void all_of_the_map(void)
{
    enum { N = 200 };
    char *p = mmap(NULL, N * 2 * page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int lines = 0;

    CHECK(p != MAP_FAILED);
    for (int i = 0; i < N; i++) { /* every other page is another area */
        OK(mprotect(p + 2 * (size_t)i * page_size(), page_size(), PROT_READ | PROT_WRITE));
    }
    for (const char *at = read_text("/proc/self/maps"); (at = strchr(at, '\n')); at++) {
        lines++;
    }
    CHECK(lines > 2 * N && lines < 3 * N);
    CHECK(strstr(text, "[stack]\n"));
    read_text("/proc/self/smaps");
    CHECK(field("Size:") > 0);
    EQ(field("KernelPageSize:"), (long)page_size() / 1024);
    read_text("/proc/self/smaps_rollup");
    CHECK(field("Rss:") > 0);
}

static void io_counts(void)
{
    long before, calls;
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));

    if (access("/proc/self/io", F_OK) != 0) {
        SKIP("not told here");
    }
    read_text("/proc/self/io");
    before = field("wchar: ");
    calls = field("syscw: ");
    for (int i = 0; i < 10; i++) {
        EQ(write(fd, "hello", 5), 5);
    }
    read_text("/proc/self/io");
    EQ(field("wchar: ") - before, 50);
    EQ(field("syscw: ") - calls, 10);
}

static void status_lines(void)
{
    static const char *const lines[] = {
        "FDSize:", "Groups:", "VmPeak:", "RssAnon:",      "CapInh:",  "CapPrm:",
        "CapEff:", "CapBnd:", "CapAmb:", "Cpus_allowed:", "Threads:", "NoNewPrivs:\t0"};

    read_text("/proc/self/status");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (!strstr(text, lines[i])) {
            FAIL("no %s", lines[i]);
        }
    }
}

static void badness(void)
{
    pid_t pid;

    CHECK(atoi(read_text("/proc/self/oom_score")) >= 0);
    CHILD(pid)
    {
        EQ(put("/proc/self/oom_score_adj", "500\n"), 4);
        EQ(atoi(read_text("/proc/self/oom_score_adj")), 500);
        ERR(put("/proc/self/oom_score_adj", "1001"), EINVAL);
        ERR(put("/proc/self/oom_score_adj", "x"), EINVAL);
        CHILD(pid)
        {
            EQ(atoi(read_text("/proc/self/oom_score_adj")), 500);
        }
        wait_ok(pid);
    }
    wait_ok(pid);
    if (geteuid() == 0) {
        CHILD(pid)
        {
            EQ(put("/proc/self/oom_score_adj", "100"), 3);
            OK(setresuid(1000, 1000, 1000));
            OK(prctl(PR_SET_DUMPABLE, 1)); /* its files are its own again */
            EQ(put("/proc/self/oom_score_adj", "200"), 3);
            EQ(put("/proc/self/oom_score_adj", "100"), 3);
            ERR(put("/proc/self/oom_score_adj", "50"), EACCES);
        }
        wait_ok(pid);
    }
}

/* Somebody else's process. */
static void others(void)
{
    struct gate go;
    char path[64];
    pid_t pid, parent = getpid();
    struct stat st;

    if (geteuid() != 0) {
        SKIP("needs root");
    }
    gate_init(&go);
    CHILD(pid)
    {
        OK(setresgid(1000, 1000, 1000));
        OK(setresuid(1000, 1000, 1000));
        static const char *const closed[] = {"maps", "environ", "fd", "auxv", "io", "smaps"};
        for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
            snprintf(path, sizeof path, "/proc/%d/%s", parent, closed[i]);
            int fd = open(path, O_RDONLY);
            char c;
            if (fd < 0 && errno == ENOENT) {
                continue; /* as it was built */
            }
            if (fd >= 0 && read(fd, &c, 1) >= 0) { /* at the latest then */
                FAIL("%s is open", path);
            }
            if (errno != EACCES && errno != EPERM) {
                FAIL("%s: %s", path, test_errno_name(errno));
            }
        }
        snprintf(path, sizeof path, "/proc/%d/cwd", parent);
        ERR(readlink(path, text, 1), EACCES);
        ERR(open(path, O_RDONLY), EACCES);
        static const char *const open_[] = {"stat", "statm", "status", "cmdline", "comm", "limits"};
        for (size_t i = 0; i < sizeof open_ / sizeof open_[0]; i++) {
            snprintf(path, sizeof path, "/proc/%d/%s", parent, open_[i]);
            read_text(path);
        }
        ERR(put(path, "x"), EACCES);
        /* Having been root, we are nobody's to look at. */
        OK(stat("/proc/self/environ", &st));
        EQ(st.st_uid, 0);
        ERR(open("/proc/self/environ", O_RDONLY), EACCES);
        OK(stat("/proc/self", &st));
        EQ(st.st_uid, 1000);
        OK(prctl(PR_SET_DUMPABLE, 1));
        OK(stat("/proc/self/environ", &st));
        EQ(st.st_uid, 1000);
    }
    wait_ok(pid);
}

static void settings(void)
{
    static const char *const there[] = {"kernel/ostype",       "kernel/osrelease",
                                        "kernel/version",      "kernel/cap_last_cap",
                                        "kernel/ngroups_max",  "kernel/threads-max",
                                        "kernel/overflowuid",  "kernel/random/poolsize",
                                        "fs/file-max",         "fs/nr_open",
                                        "fs/pipe-max-size",    "fs/file-nr",
                                        "fs/dentry-state",     "vm/overcommit_memory",
                                        "vm/max_map_count",    "vm/swappiness",
                                        "kernel/pid_max",      "kernel/core_pattern",
                                        "vm/overcommit_ratio", "fs/inode-nr",
                                        "kernel/domainname"};

    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++) {
        char path[80];
        snprintf(path, sizeof path, "/proc/sys/%s", there[i]);
        CHECK(strlen(read_text(path)) > 0);
    }
    EQ(atoi(read_text("/proc/sys/kernel/ngroups_max")), 65536);
    if (geteuid() != 0) {
        ERR(put("/proc/sys/kernel/hostname", "x"), EACCES);
    }
    CHECK(put("/proc/sys/kernel/osrelease", "x") < 0); /* nobody's to set */
}

static void host_name(void)
{
    struct utsname u, now;

    if (geteuid() != 0) {
        SKIP("needs root");
    }
    OK(uname(&u));
    EQ(put("/proc/sys/kernel/hostname", "other\n"), 6);
    OK(uname(&now));
    EQ(strcmp(now.nodename, "other"), 0);
    OK(sethostname(u.nodename, strlen(u.nodename)));
    read_text("/proc/sys/kernel/hostname");
    EQ(strncmp(text, u.nodename, strlen(u.nodename)), 0);
    ERR(sethostname("x", 65), EINVAL);
    ERR(sethostname((char *)8, 5), EFAULT);
    ERR(setdomainname("x", 65), EINVAL);
}

static void numbers(void)
{
    char old[32];

    if (geteuid() != 0) {
        SKIP("needs root");
    }
    snprintf(old, sizeof old, "%d", atoi(read_text("/proc/sys/vm/swappiness")));
    EQ(put("/proc/sys/vm/swappiness", "33\n"), 3);
    EQ(atoi(read_text("/proc/sys/vm/swappiness")), 33);
    ERR(put("/proc/sys/vm/swappiness", "1000"), EINVAL);
    ERR(put("/proc/sys/vm/swappiness", "many"), EINVAL);
    OK(put("/proc/sys/vm/swappiness", old));
}

static void system_files(void)
{
    static const char *const files[] = {"vmstat",  "interrupts", "devices",    "misc",
                                        "locks",   "diskstats",  "partitions", "consoles",
                                        "cgroups", "swaps",      "filesystems"};

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%s", files[i]);
        if (access(path, F_OK) != 0) {
            continue; /* as it was built */
        }
        read_text(path);
    }
    CHECK(strstr(read_text("/proc/filesystems"), "sysfs"));
    read_text("/proc/stat");
    CHECK(field("processes ") > 0);
    CHECK(field("btime ") > 0);
    read_text("/proc/self/mountinfo");
}

static void of_sys(void)
{
    static const char *const files[] = {"devices/system/cpu/online", "devices/system/cpu/possible",
                                        "devices/system/cpu/present",
                                        "devices/system/cpu/cpu0/topology/core_id",
                                        "devices/system/cpu/cpu0/topology/thread_siblings"};
    char path[96];

    if (geteuid() != 0) {
        SKIP("needs root");
    }
    OK(mkdir("s", 0755));
    OK(mount("none", "s", "sysfs", 0, NULL));
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "s/%s", files[i]);
        CHECK(strlen(read_text(path)) > 1);
        ERR(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
    }
    CHECK(strncmp(read_text("s/devices/system/cpu/online"), "0", 1) == 0);
    DIR *d = opendir("s/class/tty");
    CHECK(d);
    int n = 0;
    for (struct dirent *e; (e = readdir(d));) {
        n += e->d_name[0] != '.';
    }
    closedir(d);
    CHECK(n > 0);
    EQ(strcmp(read_text("s/class/mem/null/dev"), "1:3\n"), 0);
    EQ(strcmp(read_text("s/dev/char/1:3/dev"), "1:3\n"), 0);
    ERR(mkdir("s/new", 0755), EPERM);
    ERR(unlink("s/class/mem/null/dev"), EPERM);
    OK(umount("s"));
}

const struct test sys_tests[] = {
    {"descriptor_info", descriptor_info},
    {"auxiliary_vector", auxiliary_vector},
    {"all_of_the_map", all_of_the_map},
    {"io_counts", io_counts},
    {"status_lines", status_lines},
    {"badness", badness},
    {"others", others},
    {"settings", settings},
    {"host_name", host_name},
    {"numbers", numbers},
    {"system_files", system_files},
    {"of_sys", of_sys},
    {NULL, NULL},
};
