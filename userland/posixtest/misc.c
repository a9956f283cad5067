/*
 * The rest: names, identities, random numbers, clone's flags, calls that do not exist.
 */
#define _GNU_SOURCE
#include <grp.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "test.h"

static void names(void)
{
    struct utsname u;

    OK(uname(&u));
    CHECK(u.sysname[0] && u.release[0] && u.machine[0] && u.nodename[0]);
#ifdef __riscv
    CHECK(strcmp(u.machine, "riscv64") == 0);
#endif
}

static void system_numbers(void)
{
    struct sysinfo s;

    OK(sysinfo(&s));
    CHECK(s.totalram > 0 && s.freeram > 0 && s.freeram < s.totalram);
    CHECK(s.procs > 0 && s.mem_unit > 0);
}

static void random_bytes(void)
{
    unsigned char a[256] = {0}, b[256] = {0};
    int zeros = 0;

    EQ(getrandom(a, sizeof a, 0), sizeof a);
    EQ(getrandom(b, sizeof b, GRND_NONBLOCK), sizeof b);
    CHECK(memcmp(a, b, sizeof a) != 0);
    for (size_t i = 0; i < sizeof a; i++) {
        zeros += a[i] == 0;
    }
    CHECK(zeros < 20);
    EQ(getrandom(a, 0, 0), 0);
    EQ(getrandom(a, 1, GRND_RANDOM), 1);
    ERR(getrandom(a, 1, 0x100), EINVAL);
}

/* Every process has other random numbers, forked ones as well. */
static void random_after_fork(void)
{
    unsigned char mine[16], childs[16];
    int p[2];
    pid_t pid;

    OK(pipe(p));
    CHILD(pid)
    {
        EQ(getrandom(childs, sizeof childs, 0), sizeof childs);
        EQ(write(p[1], childs, sizeof childs), sizeof childs);
    }
    EQ(getrandom(mine, sizeof mine, 0), sizeof mine);
    EQ(read(p[0], childs, sizeof childs), sizeof childs);
    CHECK(memcmp(mine, childs, sizeof mine) != 0);
    wait_ok(pid);
}

static void no_such_call(void)
{
    ERR(syscall(5000), ENOSYS);
    ERR(syscall(999999999), ENOSYS);
    ERR(syscall(-1), ENOSYS);
    ERR(syscall(4000, -1, -1, -1, -1, -1, -1), ENOSYS);
}

static void groups(void)
{
    gid_t set[4] = {5, 6, 7}, got[4];

    if (geteuid() != 0) {
        SKIP("needs root");
    }
    OK(setgroups(3, set));
    EQ(getgroups(0, NULL), 3);
    EQ(getgroups(4, got), 3);
    EQ(got[2], 7);
    ERR(getgroups(2, got), EINVAL);
    ERR(syscall(SYS_getgroups, -1, got), EINVAL);
    ERR(setgroups(65537, set), EINVAL);
    OK(setgroups(0, NULL));
    EQ(getgroups(0, NULL), 0);
}

static void clone_flags(void)
{
    /* Threads share signal handlers, and those share memory; a process group's signals at exit. */
    ERR(syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0), EINVAL);
    ERR(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), EINVAL);
    ERR(syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), EINVAL);
}

static void clone_shares(void)
{
    int p[2];
    pid_t pid;

    OK(pipe(p));
    /* Descriptors shared, memory not. */
    pid = (pid_t)OK(syscall(SYS_clone, CLONE_FILES | CLONE_FS | SIGCHLD, 0, 0, 0, 0));
    if (pid == 0) {
        EQ(dup2(p[0], 180), 180);
        OK(chdir("/"));
        _exit(0);
    }
    wait_ok(pid);
    OK(close(180));
    CHECK(access("proc", 0) == 0);
}

static void exit_signal(void)
{
    pid_t pid;

    handle(SIGUSR1, count_signal, 0, 0);
    pid = (pid_t)OK(syscall(SYS_clone, SIGUSR1, 0, 0, 0, 0));
    if (pid == 0) {
        _exit(3);
    }
    while (!caught) {
        sleep_ms(1);
    }
    EQ(caught_signo, SIGUSR1);
}

static void priorities(void)
{
    errno = 0;
    int now = getpriority(PRIO_PROCESS, 0);

    if (now == -1 && errno == ENOSYS) {
        SKIP("no getpriority");
    }
    EQ(errno, 0);
    OK(setpriority(PRIO_PROCESS, 0, now + 1));
    EQ(getpriority(PRIO_PROCESS, 0), now + 1);
}

static void icache_flush(void)
{
#ifdef __riscv
    OK(syscall(259, 0, 0, 0));
    OK(syscall(259, 0, 0, 1)); /* this thread only */
    ERR(syscall(259, 0, 0, 2), EINVAL);
#else
    SKIP("for riscv");
#endif
}

static void yield_many(void)
{
    pid_t pid[4];

    for (int i = 0; i < 4; i++) {
        CHILD(pid[i])
        {
            for (int k = 0; k < 2000; k++) {
                OK(sched_yield());
            }
        }
    }
    for (int i = 0; i < 4; i++) {
        wait_ok(pid[i]);
    }
}

const struct test misc_tests[] = {
    {"names", names},
    {"system_numbers", system_numbers},
    {"random_bytes", random_bytes},
    {"random_after_fork", random_after_fork},
    {"no_such_call", no_such_call},
    {"groups", groups},
    {"clone_flags", clone_flags},
    {"clone_shares", clone_shares},
    {"exit_signal", exit_signal},
    {"priorities", priorities},
    {"icache_flush", icache_flush},
    {"yield_many", yield_many},
    {0},
};
