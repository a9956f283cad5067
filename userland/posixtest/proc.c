/*
 * /proc, as far as programs such as ps, top, free and uptime need it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

static char text[65536];

static void read_proc(const char *path)
{
    int fd = OK(open(path, O_RDONLY));
    size_t len = 0;
    ssize_t n;

    while ((n = OK(read(fd, text + len, sizeof text - 1 - len))) > 0) {
        len += (size_t)n;
    }
    text[len] = 0;
    OK(close(fd));
}

static long number_after(const char *label)
{
    const char *at = strstr(text, label);

    CHECK(at);
    return strtol(at + strlen(label), NULL, 10);
}

static void self(void)
{
    char target[64], want[16];
    ssize_t n = OK(readlink("/proc/self", target, sizeof target - 1));

    target[n] = 0;
    snprintf(want, sizeof want, "%d", getpid());
    CHECK(strcmp(target, want) == 0);
}

static void stat_line(void)
{
    char path[64], state;
    int pid, ppid, pgrp, session;
    struct gate end;
    pid_t child;

    gate_init(&end);
    CHILD(child)
    {
        gate_wait(&end);
    }
    wait_state(child, 'S');
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    read_proc(path);
    char *after = strrchr(text, ')');
    CHECK(after);
    EQ(sscanf(text, "%d (", &pid), 1);
    EQ(sscanf(after + 2, "%c %d %d %d", &state, &ppid, &pgrp, &session), 4);
    EQ(pid, child);
    EQ(state, 'S');
    EQ(ppid, getpid());
    EQ(pgrp, getpgrp());
    EQ(session, getsid(0));
    int fields = 3;
    for (char *c = after + 2; *c; c++) {
        fields += *c == ' ';
    }
    CHECK(fields >= 44);
    gate_open(&end);
    wait_state(child, 'Z');
    wait_ok(child);
    ERR(open(path, O_RDONLY), ENOENT);
}

static void status(void)
{
    read_proc("/proc/self/status");
    CHECK(strncmp(text, "Name:\t", 6) == 0);
    EQ(number_after("\nPid:"), getpid());
    EQ(number_after("\nPPid:"), getppid());
    EQ(number_after("\nThreads:"), 1);
    CHECK(number_after("\nVmSize:") > 0);
    EQ(number_after("\nUid:"), getuid());
}

static void command_line(void)
{
    int fd = OK(open("/proc/self/cmdline", O_RDONLY));
    ssize_t n = OK(read(fd, text, sizeof text));

    CHECK(n > 9 && text[n - 1] == 0);
    CHECK(strstr(text, "posixtest"));
    read_proc("/proc/self/comm");
    CHECK(strchr(text, '\n'));
    CHECK(strncmp(text, "posixtest", 9) == 0);
}

static size_t command_now(void)
{
    int fd = OK(open("/proc/self/cmdline", O_RDONLY));
    ssize_t n = OK(read(fd, text, sizeof text));

    OK(close(fd));
    return (size_t)n;
}

/* A program writes itself another command line over the first; a longer one goes on over the environment. */
static void title(void)
{
    unsigned long at[4]; /* arg_start, arg_end, env_start, env_end */
    char *field;
    size_t len;

    read_proc("/proc/self/stat");
    field = strrchr(text, ')');
    for (int i = 2; i < 48; i++) {
        field = strchr(field + 1, ' ');
        CHECK(field);
    }
    EQ(sscanf(field, "%lu %lu %lu %lu", &at[0], &at[1], &at[2], &at[3]), 4);
    CHECK(at[0] < at[1] && at[1] == at[2] && at[2] + 3 < at[3]);
    len = at[1] - at[0];
    EQ(command_now(), len);
    memset((char *)at[0], 0, len);
    memcpy((char *)at[0], "me", 2);
    EQ(command_now(), len); /* with what is behind its end */
    EQ(memcmp(text, "me", 3), 0);
    memset((char *)at[0], 'x', len);
    memcpy((char *)at[2], "yz", 3);
    EQ(command_now(), len + 3);
    EQ(memcmp(text + len - 1, "xyz", 4), 0);
    int fd = OK(open("/proc/self/environ", O_RDONLY));
    OK(read(fd, text, 3));
    EQ(memcmp(text, "yz", 3), 0);
}

static void links(void)
{
    char target[PATH_MAX], cwd[PATH_MAX], path[64];
    struct stat a, b;
    int fd = OK(open("f", O_RDWR | O_CREAT, 0600));
    ssize_t n = OK(readlink("/proc/self/cwd", target, sizeof target - 1));

    target[n] = 0;
    CHECK(getcwd(cwd, sizeof cwd) && strcmp(target, cwd) == 0);
    EQ(readlink("/proc/self/root", target, sizeof target), 1);
    EQ(target[0], '/');
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    n = OK(readlink(path, target, sizeof target - 1));
    target[n] = 0;
    CHECK(strncmp(target, cwd, strlen(cwd)) == 0 && strcmp(target + strlen(cwd), "/f") == 0);
    OK(stat(path, &a)); /* through the link */
    OK(fstat(fd, &b));
    EQ(a.st_ino, b.st_ino);
    OK(lstat(path, &a));
    CHECK(S_ISLNK(a.st_mode));
    n = OK(readlink("/proc/self/exe", target, sizeof target - 1));
    target[n] = 0;
    OK(stat(target, &a));
    CHECK(S_ISREG(a.st_mode));
}

static void descriptor_list(void)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *e;
    int before = 0, after = 0;

    CHECK(dir);
    while ((e = readdir(dir))) {
        before += e->d_name[0] != '.';
    }
    for (int i = 0; i < 5; i++) {
        OK(open("/", O_RDONLY));
    }
    rewinddir(dir);
    while ((e = readdir(dir))) {
        after += e->d_name[0] != '.';
    }
    EQ(after, before + 5);
    closedir(dir);
}

static void process_list(void)
{
    DIR *dir = opendir("/proc");
    struct dirent *e;
    bool one = false, mine = false;

    CHECK(dir);
    while ((e = readdir(dir))) {
        one |= strcmp(e->d_name, "1") == 0;
        mine |= atoi(e->d_name) == getpid();
    }
    closedir(dir);
    CHECK(one && mine);
}

static void memory_map(void)
{
    char want[64];
    char *p =
        mmap(NULL, 3 * page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    OK(mprotect(p, page_size(), PROT_READ | PROT_EXEC));
    OK(mprotect(p + 2 * page_size(), page_size(), PROT_NONE));
    read_proc("/proc/self/maps");
    snprintf(want, sizeof want, "%lx-%lx r-xp", (long)p, (long)(p + page_size()));
    CHECK(strstr(text, want));
    CHECK(strstr(text, "[stack]"));
}

static void system_files(void)
{
    double up, idle;

    read_proc("/proc/meminfo");
    CHECK(number_after("MemTotal:") > number_after("MemFree:"));
    CHECK(number_after("MemAvailable:") >= 0);
    read_proc("/proc/uptime");
    EQ(sscanf(text, "%lf %lf", &up, &idle), 2);
    CHECK(up > 0);
    read_proc("/proc/stat");
    CHECK(strncmp(text, "cpu ", 4) == 0 && strstr(text, "\ncpu0 "));
    read_proc("/proc/loadavg");
    CHECK(strchr(text, '/'));
    read_proc("/proc/mounts");
    CHECK(strstr(text, "/proc proc"));
    read_proc("/proc/filesystems");
    CHECK(strstr(text, "tmpfs"));
    read_proc("/proc/version");
    read_proc("/proc/cpuinfo");
}

static void small_reads(void)
{
    static char whole[4096];
    size_t len = 0;
    int fd;

    read_proc("/proc/self/status");
    fd = OK(open("/proc/self/status", O_RDONLY));
    while (len < sizeof whole - 1 && OK(read(fd, whole + len, 1)) == 1) {
        len++;
    }
    CHECK(len > 100);
    EQ(strncmp(whole, text, 30), 0);
    EQ(lseek(fd, 6, SEEK_SET), 6);
    EQ(read(fd, whole, 4), 4);
    EQ(strncmp(whole, text + 6, 4), 0);
}

static void cannot_be_changed(void)
{
    ERR(open("/proc/none", O_RDONLY), ENOENT);
    ERR(open("/proc/0x7fffffff/stat", O_RDONLY), ENOENT);
    CHECK(open("/proc/newfile", O_WRONLY | O_CREAT, 0600) == -1);
    CHECK(unlink("/proc/uptime") == -1);
    CHECK(mkdir("/proc/d", 0700) == -1);
}

static volatile long other_tid;

static void *stay(void *arg)
{
    other_tid = syscall(SYS_gettid);
    gate_wait(arg);
    return NULL;
}

/* A thread has a folder by its number as processes have, which nobody lists. */
static void threads_by_number(void)
{
    char path[64], text[2048] = "", want[64];
    struct gate go;
    pthread_t thread;
    struct dirent *e;
    struct stat st;
    DIR *dir;
    int fd;
    gate_init(&go);
    EQ(pthread_create(&thread, NULL, stay, &go), 0);
    while (other_tid == 0) {
        sched_yield();
    }
    snprintf(path, sizeof path, "/proc/%ld/status", other_tid);
    fd = OK(open(path, O_RDONLY));
    CHECK(read(fd, text, sizeof text - 1) > 0);
    snprintf(want, sizeof want, "\nTgid:\t%d\n", getpid());
    CHECK(strstr(text, want) != NULL);
    snprintf(want, sizeof want, "\nPid:\t%ld\n", other_tid);
    CHECK(strstr(text, want) != NULL);
    snprintf(path, sizeof path, "/proc/%ld/task/%d", other_tid, getpid());
    OK(stat(path, &st));
    dir = opendir("/proc");
    CHECK(dir != NULL);
    while ((e = readdir(dir)) != NULL) {
        CHECK(atol(e->d_name) != other_tid);
    }
    closedir(dir);
    gate_open(&go);
    EQ(pthread_join(thread, NULL), 0);
    snprintf(path, sizeof path, "/proc/%ld", other_tid);
    while (stat(path, &st) == 0) { /* its end may be a little later */
        sched_yield();
    }
    EQ(errno, ENOENT);
    lseek(fd, 0, SEEK_SET);
    ERR(read(fd, text, sizeof text), ESRCH);
}

const struct test proc_tests[] = {
    {"threads_by_number", threads_by_number},
    {"self", self},
    {"stat_line", stat_line},
    {"status", status},
    {"command_line", command_line},
    {"title", title},
    {"links", links},
    {"descriptor_list", descriptor_list},
    {"process_list", process_list},
    {"memory_map", memory_map},
    {"system_files", system_files},
    {"small_reads", small_reads},
    {"cannot_be_changed", cannot_be_changed},
    {0},
};
