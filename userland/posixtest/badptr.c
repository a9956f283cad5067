/*
 * Bad pointers in every pointer argument of the calls we have: EFAULT, and nothing else happens.
 *
 * The tables say for each argument what it is:
 *      V(x)    a plain value
 *      R(p)    memory the call reads; p is good memory, used while another argument is bad
 *      W(p)    memory the call writes: also bad when it is read-only
 *      RN, WN  the same where NULL is allowed
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/stat.h>

#include "test.h"

enum kind { END, VALUE, READ = 1 << 1, WRITE = 1 << 2, NULL_OK = 1 << 3, ALIGNED = 1 << 4 };

struct arg {
    int kind;
    long value;
};

struct call {
    const char *name;
    long nr;
    struct arg arg[6];
};

#define V(x)             \
    {                    \
        VALUE, (long)(x) \
    }
#define R(p)            \
    {                   \
        READ, (long)(p) \
    }
#define W(p)             \
    {                    \
        WRITE, (long)(p) \
    }
#define RN(p)                     \
    {                             \
        READ | NULL_OK, (long)(p) \
    }
#define WN(p)                      \
    {                              \
        WRITE | NULL_OK, (long)(p) \
    }
#define RA(p)                     \
    {                             \
        READ | ALIGNED, (long)(p) \
    } /* an odd address is another error */

static char *no_access, *read_only;

static struct {
    const char *name;
    long address;
} bad[9];

static void setup(void)
{
    no_access = page_before_hole() + page_size();
    read_only = mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(read_only != MAP_FAILED);
    bad[0].name = "NULL";
    bad[0].address = 0;
    bad[1].name = "1";
    bad[1].address = 1;
    bad[2].name = "unmapped";
    bad[2].address = 0x2000; /* so low that nothing may be mapped there */
    bad[3].name = "kernel";
    bad[3].address = (long)0xffffffff80000000;
    bad[4].name = "no access";
    bad[4].address = (long)no_access;
    bad[5].name = "not canonical";
    bad[5].address = (long)0x8000000000000000;
    bad[6].name = "lower kernel half";
    bad[6].address = (long)0xffffffc000000000;
    bad[7].name = "last byte";
    bad[7].address = -1l;
    bad[8].name = "read-only";
    bad[8].address = (long)read_only;
}

static bool applies(const struct arg *a, size_t b)
{
    if (a->kind == VALUE || a->kind == END) {
        return false;
    }
    if (b == 0) {
        return !(a->kind & NULL_OK);
    }
    if (a->kind & ALIGNED && (bad[b].address & 3)) {
        return false;
    }
    return b != 8 || a->kind & WRITE;
}

static long make_call(const struct call *c, size_t which, long address)
{
    long a[6];

    for (size_t i = 0; i < 6; i++) {
        a[i] = i == which ? address : c->arg[i].value;
    }
    return syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Tries all; one message for all that went wrong. */
static void try_all(const struct call *calls)
{
    char wrong[300] = "";
    int failures = 0;

    for (const struct call *c = calls; c->name; c++) {
        for (size_t i = 0; i < 6; i++) {
            for (size_t b = 0; b < sizeof bad / sizeof bad[0]; b++) {
                long got;
                size_t len = strlen(wrong);

                if (!applies(&c->arg[i], b)) {
                    continue;
                }
                errno = 0;
                got = make_call(c, i, bad[b].address);
                if (got == -1 && errno == EFAULT) {
                    continue;
                }
                failures++;
                snprintf(wrong + len, sizeof wrong - len, "%s arg %zu %s: %s; ", c->name, i,
                         bad[b].name, got == -1 ? test_errno_name(errno) : "no error");
            }
        }
    }
    if (failures) {
        FAIL("%d not EFAULT: %s", failures, wrong);
    }
}

static void data_calls(void)
{
    struct stat st;
    struct iovec iov = {"x", 1};
    char buf[64];
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600)), p[2], n, dir = OK(open(".", O_RDONLY));
    struct statfs sf;

    setup();
    EQ(pwrite(fd, "0123456789abcdef", 16, 0), 16);
    OK(pipe(p));
    EQ(write(p[1], "0123456789abcdef", 16), 16);
    const struct call calls[] = {
        {"read", SYS_read, {V(p[0]), W(buf), V(16)}},
        {"write", SYS_write, {V(fd), R(buf), V(16)}},
        {"write pipe", SYS_write, {V(p[1]), R(buf), V(16)}},
        {"pread64", SYS_pread64, {V(fd), W(buf), V(16), V(0)}},
        {"pwrite64", SYS_pwrite64, {V(fd), R(buf), V(16), V(0)}},
        {"readv", SYS_readv, {V(p[0]), R(&iov), V(1)}},
        {"writev", SYS_writev, {V(fd), R(&iov), V(1)}},
        {"fstat", SYS_fstat, {V(fd), W(&st)}},
        {"getdents64", SYS_getdents64, {V(dir), W(buf), V(1024)}},
        {"pipe2", SYS_pipe2, {W(p), V(0)}},
        {"ioctl FIONREAD", SYS_ioctl, {V(p[0]), V(FIONREAD), W(&n)}},
        {"fstatfs", SYS_fstatfs, {V(fd), W(&sf)}},
        {0},
    };
    try_all(calls);
    n = 0;
    OK(ioctl(p[0], FIONREAD, &n)); /* the pipe still has what it had */
    EQ(n, 16);
    EQ(lseek(fd, 0, SEEK_CUR), 0);
    OK(fstat(fd, &st));
    EQ(st.st_size, 16);
}

static void vector_elements(void)
{
    struct iovec iov[3];
    char a[8], b[8];
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));

    setup();
    for (size_t i = 1; i < 9; i++) {
        iov[0] = (struct iovec){(void *)bad[i].address, 8};
        if (i != 8) {
            ERR(writev(fd, iov, 1), EFAULT);
        }
        EQ(pwrite(fd, "0123456789", 10, 0), 10);
        ERR(readv(fd, iov, 1), EFAULT);
        EQ(lseek(fd, 0, SEEK_CUR), 0);
    }
    /* What comes before the bad element is done. */
    iov[0] = (struct iovec){a, 4};
    iov[1] = (struct iovec){no_access, 4};
    iov[2] = (struct iovec){b, 4};
    EQ(readv(fd, iov, 3), 4);
    EQ(lseek(fd, 0, SEEK_CUR), 4);
}

/* A buffer that begins well and runs into a hole. */
static void half_good_buffers(void)
{
    /* A multiple of 64: Linux 6.1 for riscv64 makes no progress when a word is half readable, and
     * a write to a file then tries for ever. */
    enum { GOOD = 128 };
    char *p = page_before_hole() + page_size() - GOOD;
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600)), pair[2];
    struct stat st;
    long n;

    setup();
    OK(ftruncate(fd, 1000));
    n = pread(fd, p, 1000, 0);
    CHECK(n == GOOD || (n == -1 && errno == EFAULT));
    n = pwrite(fd, p, 1000, 0);
    CHECK(n == GOOD || (n == -1 && errno == EFAULT));
    OK(pipe2(pair, O_NONBLOCK));
    n = write(pair[1], p, 1000);
    CHECK(n == GOOD || (n == -1 && errno == EFAULT));
    ERR(syscall(SYS_fstat, fd, p + 64), EFAULT);
    memset(p, 'x', GOOD);
    ERR(stat(p, &st), EFAULT); /* a path without an end */
    memset(p, 0, GOOD);
    strcpy(p + GOOD - 2, "f");
    OK(stat(p + GOOD - 2, &st)); /* a path that ends with the page */
}

static void path_calls(void)
{
    struct stat st;
    struct statx sx;
    struct statfs sf;
    struct timespec times[2] = {{1, 0}, {1, 0}};
    char buf[64], *argv[] = {"x", NULL};

    setup();
    write_file("f", "");
    OK(symlink("f", "s"));
    OK(mkdir("d", 0700));
    const int cwd = AT_FDCWD;
    const struct call calls[] = {
        {"openat", SYS_openat, {V(cwd), R("f"), V(O_RDONLY), V(0)}},
        {"openat O_CREAT", SYS_openat, {V(cwd), R("new"), V(O_RDWR | O_CREAT), V(0600)}},
        {"newfstatat", SYS_newfstatat, {V(cwd), R("f"), W(&st), V(0)}},
        {"statx", SYS_statx, {V(cwd), R("f"), V(0), V(STATX_BASIC_STATS), W(&sx)}},
        {"readlinkat", SYS_readlinkat, {V(cwd), R("s"), W(buf), V(16)}},
        {"faccessat", SYS_faccessat, {V(cwd), R("f"), V(0)}},
        {"getcwd", SYS_getcwd, {W(buf), V(4096)}},
        {"chdir", SYS_chdir, {R(".")}},
        {"mkdirat", SYS_mkdirat, {V(cwd), R("e"), V(0700)}},
        {"unlinkat", SYS_unlinkat, {V(cwd), R("none"), V(0)}},
        {"symlinkat", SYS_symlinkat, {R("x"), V(cwd), R("t")}},
        {"linkat", SYS_linkat, {V(cwd), R("f"), V(cwd), R("g"), V(0)}},
        {"renameat2", SYS_renameat2, {V(cwd), R("f"), V(cwd), R("g"), V(0)}},
        {"fchmodat", SYS_fchmodat, {V(cwd), R("f"), V(0644)}},
        {"fchownat", SYS_fchownat, {V(cwd), R("f"), V(-1), V(-1), V(0)}},
        {"utimensat", SYS_utimensat, {V(cwd), R("f"), RN(times), V(0)}},
        {"statfs", SYS_statfs, {R("f"), W(&sf)}},
        {"execve", SYS_execve, {R("f"), RN(argv), RN(argv)}},
        {"mount", SYS_mount, {RN("none"), R("d"), RN("none"), V(0), RN("")}},
        {"umount2", SYS_umount2, {R("d"), V(0)}},
        {0},
    };
    OK(chmod("f", 0755));
    struct call all[sizeof calls / sizeof calls[0]];
    size_t n = 0;
    for (const struct call *c = calls; c->name; c++) {
        /* Only root gets so far as to look at mount's pointers on every system. */
        if (geteuid() == 0 || (c->nr != SYS_mount && c->nr != SYS_umount2)) {
            all[n++] = *c;
        }
    }
    all[n].name = NULL;
    try_all(all);
    expect_file("f", "");
    ERR(lstat("g", &st), ENOENT);
    ERR(lstat("new", &st), ENOENT);
    ERR(lstat("t", &st), ENOENT);
}

static void exec_elements(void)
{
    char *good[] = {"x", NULL}, *one_bad[] = {"x", NULL, NULL};

    setup();
    for (size_t i = 1; i < 8; i++) {
        one_bad[1] = (char *)bad[i].address;
        ERR(execve(self_path, one_bad, good), EFAULT);
        ERR(execve(self_path, good, one_bad), EFAULT);
    }
    /* An array that runs into a hole. */
    char **edge = (char **)(void *)(page_before_hole() + page_size()) - 1;
    edge[0] = "x";
    ERR(execve(self_path, edge, good), EFAULT);
}

static void signal_calls(void)
{
    char action[64] = {0};
    uint64_t mask = 0;
    stack_t st = {.ss_flags = SS_DISABLE};

    setup();
    const struct call calls[] = {
        {"rt_sigaction", SYS_rt_sigaction, {V(SIGUSR1), RN(action), WN(action), V(8)}},
        {"rt_sigprocmask", SYS_rt_sigprocmask, {V(SIG_BLOCK), RN(&mask), WN(&mask), V(8)}},
        {"rt_sigsuspend", SYS_rt_sigsuspend, {R(&mask), V(8)}},
        {"sigaltstack", SYS_sigaltstack, {RN(&st), WN(&st)}},
        {0},
    };
    try_all(calls);
}

static void time_calls(void)
{
    struct timespec t = {0, 0};
    struct timeval tv;
    struct itimerval it = {{0, 0}, {0, 0}};
    struct tms tms;
    struct rusage ru;

    setup();
    const struct call calls[] = {
        {"clock_gettime", SYS_clock_gettime, {V(CLOCK_MONOTONIC), W(&t)}},
        {"clock_nanosleep", SYS_clock_nanosleep, {V(CLOCK_MONOTONIC), V(0), R(&t), V(0)}},
        {"nanosleep", SYS_nanosleep, {R(&t), V(0)}},
        {"gettimeofday", SYS_gettimeofday, {WN(&tv), V(0)}},
        {"setitimer", SYS_setitimer, {V(ITIMER_REAL), RN(&it), WN(&it)}},
        {"times", SYS_times, {WN(&tms)}},
        {"getrusage", SYS_getrusage, {V(RUSAGE_SELF), W(&ru)}},
        {0},
    };
    try_all(calls);
}

static void other_calls(void)
{
    char buf[512];
    struct utsname uts;
    struct sysinfo si;
    struct rlimit64 {
        uint64_t cur, max;
    } limit = {1 << 20, 1 << 20};
    struct pollfd pfd = {-1, POLLIN, 0};
    struct timespec t = {0, 0};
    uint64_t mask = 0;
    fd_set set;
    static uint32_t word;

    setup();
    FD_ZERO(&set);
    const struct call calls[] = {
        {"getrandom", SYS_getrandom, {W(buf), V(16), V(0)}},
        {"uname", SYS_uname, {W(&uts)}},
        {"prlimit64", SYS_prlimit64, {V(0), V(RLIMIT_CORE), RN(&limit), WN(&limit)}},
        {"sysinfo", SYS_sysinfo, {W(&si)}},
        {"ppoll", SYS_ppoll, {R(&pfd), V(1), RN(&t), RN(&mask), V(8)}},
        {"pselect6", SYS_pselect6, {V(1), RN(&set), RN(&set), RN(&set), RN(&t), RN(0)}},
        {"sched_getaffinity", SYS_sched_getaffinity, {V(0), V(128), W(buf)}},
        {"futex", SYS_futex, {RA(&word), V(FUTEX_WAIT), V(1), V(0), V(0), V(0)}},
        {0},
    };
    try_all(calls);
    if (geteuid() == 0) {
        const struct call root[] = {{"setgroups", SYS_setgroups, {V(1), R(buf)}}, {0}};

        try_all(root);
    }
}

/* The child is gone even when there is nowhere to put its status. */
static void wait_calls(void)
{
    pid_t pid;

    setup();
    for (size_t i = 1; i < 9; i++) {
        CHILD(pid)
        {
        }
        ERR(syscall(SYS_wait4, pid, bad[i].address, 0, NULL), EFAULT);
        ERR(waitpid(pid, NULL, 0), ECHILD);
        CHILD(pid)
        {
        }
        ERR(syscall(SYS_wait4, pid, NULL, 0, bad[i].address), EFAULT);
        CHILD(pid)
        {
        }
        ERR(syscall(SYS_waitid, P_PID, pid, bad[i].address, WEXITED, NULL), EFAULT);
        waitpid(pid, NULL, 0);
    }
}

static void terminal_calls(void)
{
    struct termios t;
    char c[64] = {0};
    int fd = open("/dev/tty", O_RDWR);

    if (fd < 0) {
        SKIP("no terminal");
    }
    setup();
    handle(SIGTTOU, SIG_IGN, 0, 0);
    OK(tcgetattr(fd, &t));
    const struct call calls[] = {
        {"TCGETS", SYS_ioctl, {V(fd), V(0x5401), W(c)}},
        {"TCSETS", SYS_ioctl, {V(fd), V(0x5402), R(c)}},
        {"TIOCGWINSZ", SYS_ioctl, {V(fd), V(TIOCGWINSZ), W(c)}},
        {"TIOCSWINSZ", SYS_ioctl, {V(fd), V(TIOCSWINSZ), R(c)}},
        {"TIOCGPGRP", SYS_ioctl, {V(fd), V(TIOCGPGRP), W(c)}},
        {"TIOCSPGRP", SYS_ioctl, {V(fd), V(TIOCSPGRP), R(c)}},
        {"write", SYS_write, {V(fd), R(c), V(3)}},
        {0},
    };
    for (size_t i = 0; calls[i].name; i++) {
        struct call one[2] = {calls[i], {0}};

        if (calls[i].nr == SYS_ioctl) { /* good arguments would change the terminal */
            try_all(one);
        }
    }
}

/* rt_sigreturn where there is no frame. */
static void bad_frame(void)
{
    pid_t pid;

    CHILD(pid)
    {
#if defined __riscv
        __asm__ volatile("li sp, 64\n li a7, 139\n ecall"); /* rt_sigreturn */
#elif defined __x86_64__
        __asm__ volatile("mov $64, %rsp\n mov $15, %eax\n syscall");
#endif
    }
    wait_killed(pid, SIGSEGV);
}

const struct test badptr_tests[] = {
    {"data_calls", data_calls},
    {"vector_elements", vector_elements},
    {"half_good_buffers", half_good_buffers},
    {"path_calls", path_calls},
    {"exec_elements", exec_elements},
    {"signal_calls", signal_calls},
    {"time_calls", time_calls},
    {"other_calls", other_calls},
    {"wait_calls", wait_calls},
    {"terminal_calls", terminal_calls},
    {"bad_frame", bad_frame},
    {0},
};
