/* What the system tells of itself, and settings that need no memory. */
#include "scenario.h"

#include <stdio.h>

/* All of a directory of texts, to a depth. */
static void read_all(const char *dir, int depth)
{
    uint64_t buf = room(1024);
    char list[1024];
    long fd = sc(openat, CWD, text(dir), O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) {
        return;
    }
    for (long n; (n = ok(sc(getdents64, (uint64_t)fd, buf, 1024))) > 0;) {
        get(buf, list, (size_t)n);
        for (long at = 0; at < n; at += *(uint16_t *)(list + at + 16)) {
            char path[256];
            const char *name = list + at + 19;
            uint64_t here = room(0);
            if (name[0] == '.' || strlen(dir) + strlen(name) > 200) {
                continue;
            }
            snprintf(path, sizeof(path), "%s/%s", dir, name);
            if (list[at + 18] == 4 && depth > 0 && (name[0] < '0' || name[0] > '9')) {
                read_all(path, depth - 1);
            } else if (list[at + 18] == 8 && strcmp(name, "kmsg") != 0 &&
                       strcmp(name, "log") != 0) {
                long file = sc(openat, CWD, text(path), O_RDONLY | O_NONBLOCK, 0);
                if (file >= 0) {
                    for (int i = 0; i < 3 && sc(read, (uint64_t)file, buf, 1024) > 0; i++) {
                    }
                    shut(file);
                }
            } else if (list[at + 18] == 10) {
                sc(readlinkat, CWD, text(path), buf, 256);
            }
            room_back(here);
        }
    }
    shut(fd);
}

static void proc_of_a_process(void)
{
    read_all("/proc/self", 2);
}

static void proc_of_the_system(void)
{
    read_all("/proc", 0);
    read_all("/proc/net", 0);
    read_all("/proc/sysvipc", 0);
    read_all("/proc/nexus", 0);
}

static void sysctls(void)
{
    read_all("/proc/sys", 3);
}

static void sys(void)
{
    read_all("/sys", 1);
    read_all("/sys/class", 1);
}

static void supervisor(void)
{
    long fd = sc(openat, CWD, text("/Bus/supervisor"), O_RDWR, 0);
    if (fd >= 0) {
        sc(write, (uint64_t)fd, text("ps\n"), 3);
        shut(fd);
    }
}

static void names(void)
{
    uint64_t buf = room(512);
    is(sc(uname, buf), 0);
    is(sc(sethostname, text("nexus"), 5), 0);
    is(sc(setdomainname, text("(none)"), 6), 0);
    is(sc(sysinfo, buf), 0);
    is(sc(syslog, 10, 0, 0) >= 0, true);
    is(sc(getcpu, buf, buf + 4, 0), 0);
    is(sc(riscv_flush_icache, 0, 0, 0), 0);
    is(sc(personality, 0xffffffff), 0);
    is(sc(prctl, 15, text("name")), 0);
    is(sc(prctl, 16, buf), 0);
}

static void limits(void)
{
    uint64_t at = room(256);
    is(sc(getrlimit, 7, at), 0);
    is(sc(setrlimit, 7, at), 0);
    is(sc(prlimit64, 0, 3, 0, at), 0);
    is(sc(getpriority, 0, 0), 20);
    is(sc(setpriority, 0, 0, 1), 0);
    is(sc(ioprio_set, 1, 0, 2 << 13), 0);
    is(sc(ioprio_get, 1, 0), 2 << 13);
    put(at, &(uint32_t[14]){56}, 56);
    is(sc(sched_setattr, 0, at, 0), 0);
    is(sc(sched_getattr, 0, at, 56, 0), 0);
    put32(at, 0);
    is(sc(sched_setscheduler, 0, 0, at), 0);
    is(sc(sched_getscheduler, 0), 0);
    is(sc(sched_setparam, 0, at), 0);
    is(sc(sched_getparam, 0, at), 0);
    is(sc(sched_get_priority_max, 1), 99);
    is(sc(sched_get_priority_min, 1), 1);
    is(sc(sched_rr_get_interval, 0, at), 0);
    ok(sc(sched_getaffinity, 0, 128, at));
    is(sc(sched_setaffinity, 0, 8, at), 0);
    is(sc(sched_yield, 0), 0);
}

static void identities(void)
{
    uint64_t at = room(16);
    static const unsigned all[] = {__NR_getpid,  __NR_getppid, __NR_gettid, __NR_getuid,
                                   __NR_geteuid, __NR_getgid,  __NR_getegid};
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        ok(sc_(all[i], (const uint64_t[6]){0}));
    }
    is(sc(getresuid, at, at + 4, at + 8), 0);
    is(sc(getresgid, at, at + 4, at + 8), 0);
}

const struct scenario scenarios_system[] = {
    {"proc_of_a_process", proc_of_a_process, false},
    {"proc_of_the_system", proc_of_the_system, false},
    {"sysctls", sysctls, false},
    {"sys", sys, false},
    {"supervisor", supervisor, false},
    {"names", names, false},
    {"limits", limits, false},
    {"identities", identities, false},
    {NULL, NULL, false},
};
