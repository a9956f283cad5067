/*
 * The vDSO: an ELF image whose functions say what the calls of the same name say.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

#define VERSION "LINUX_4.15"
#define NS 1000000000ll

/* What the dynamic section of the image points to. */
struct image {
    const char *base, *names;
    const Elf64_Sym *symbols;
    const uint32_t *hash; /* DT_HASH: buckets, and how many symbols */
    const uint16_t *version;
    const Elf64_Verdef *versions;
};

static struct image image(void)
{
    struct image v = {.base = (const char *)getauxval(AT_SYSINFO_EHDR)};
    CHECK(v.base != NULL && memcmp(v.base, ELFMAG, SELFMAG) == 0);
    const Elf64_Ehdr *head = (const Elf64_Ehdr *)v.base;
    EQ(head->e_type, ET_DYN);
    EQ(head->e_machine, EM_RISCV);
    const Elf64_Phdr *part = (const Elf64_Phdr *)(v.base + head->e_phoff);
    const Elf64_Dyn *d = NULL;
    for (int i = 0; i < head->e_phnum; i++) {
        d = part[i].p_type == PT_DYNAMIC ? (const Elf64_Dyn *)(v.base + part[i].p_offset) : d;
    }
    CHECK(d != NULL);
    for (; d->d_tag != DT_NULL; d++) {
        const char *at = v.base + d->d_un.d_ptr;
        switch (d->d_tag) {
        case DT_STRTAB:
            v.names = at;
            break;
        case DT_SYMTAB:
            v.symbols = (const Elf64_Sym *)at;
            break;
        case DT_HASH:
            v.hash = (const uint32_t *)at;
            break;
        case DT_VERSYM:
            v.version = (const uint16_t *)at;
            break;
        case DT_VERDEF:
            v.versions = (const Elf64_Verdef *)at;
            break;
        }
    }
    CHECK(v.names && v.symbols && v.hash && v.version && v.versions);
    return v;
}

static const char *version_of(const struct image *v, uint32_t symbol)
{
    const Elf64_Verdef *d = v->versions;
    while (d->vd_ndx != (v->version[symbol] & 0x7fff)) {
        CHECK(d->vd_next != 0);
        d = (const Elf64_Verdef *)((const char *)d + d->vd_next);
    }
    return v->names + ((const Elf64_Verdaux *)((const char *)d + d->vd_aux))->vda_name;
}

static void *function(const char *name)
{
    const struct image v = image();
    for (uint32_t i = 0; i < v.hash[1]; i++) {
        const Elf64_Sym *s = &v.symbols[i];
        if (s->st_shndx != SHN_UNDEF && ELF64_ST_TYPE(s->st_info) == STT_FUNC &&
            strcmp(v.names + s->st_name, name) == 0) {
            EQ(strcmp(version_of(&v, i), VERSION), 0);
            return (void *)(v.base + s->st_value);
        }
    }
    FAIL("%s is not in it", name);
}

typedef int get_fn(clockid_t, struct timespec *);

static int64_t ns_of(const struct timespec *t)
{
    CHECK(t->tv_nsec >= 0 && t->tv_nsec < NS);
    return t->tv_sec * NS + t->tv_nsec;
}

static int64_t called(clockid_t id)
{
    struct timespec t;
    OK(syscall(SYS_clock_gettime, id, &t));
    return ns_of(&t);
}

static void clocks(void)
{
    get_fn *get = (get_fn *)function("__vdso_clock_gettime");
    static const clockid_t fine[] = {
        CLOCK_REALTIME, CLOCK_MONOTONIC,          CLOCK_MONOTONIC_RAW,    CLOCK_BOOTTIME,
        CLOCK_TAI,      CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
    for (unsigned i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        int64_t before = called(fine[i]);
        for (int k = 0; k < 100; k++) {
            struct timespec t;
            EQ(get(fine[i], &t), 0);
            CHECK(ns_of(&t) >= before);
            before = ns_of(&t);
        }
        CHECK(called(fine[i]) >= before);
    }
    struct timespec t;
    for (clockid_t id = CLOCK_REALTIME_COARSE; id <= CLOCK_MONOTONIC_COARSE; id++) {
        EQ(get(id, &t), 0);
        CHECK(ns_of(&t) <= called(id));
    }
    EQ(get(99, &t), -EINVAL);
    EQ(get(-1, &t), -EINVAL);
    EQ(get(CLOCK_PROCESS_CPUTIME_ID, (struct timespec *)8), -EFAULT);
}

static void resolution(void)
{
    get_fn *get = (get_fn *)function("__vdso_clock_getres");
    static const clockid_t ids[] = {CLOCK_REALTIME,         CLOCK_MONOTONIC,
                                    CLOCK_MONOTONIC_RAW,    CLOCK_REALTIME_COARSE,
                                    CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME};
    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct timespec a, b;
        OK(syscall(SYS_clock_getres, ids[i], &a));
        EQ(get(ids[i], &b), 0);
        EQ(ns_of(&a), ns_of(&b));
        EQ(get(ids[i], NULL), 0);
    }
    struct timespec t;
    EQ(get(99, &t), -EINVAL);
}

static void time_of_day(void)
{
    int (*get)(struct timeval *, struct timezone *) = function("__vdso_gettimeofday");
    struct timeval t;
    struct timezone zone = {77, 77}, same;
    const int64_t before = called(CLOCK_REALTIME) / 1000;
    EQ(get(&t, NULL), 0);
    CHECK(t.tv_sec * 1000000 + t.tv_usec >= before);
    EQ(get(&t, &zone), 0);
    OK(syscall(SYS_gettimeofday, NULL, &same));
    EQ(zone.tz_minuteswest, same.tz_minuteswest);
    EQ(get(NULL, NULL), 0);
}

static void others(void)
{
    int (*getcpu)(unsigned *, unsigned *, void *) = function("__vdso_getcpu");
    int (*flush)(void *, void *, unsigned long) = function("__vdso_flush_icache");
    unsigned cpu = 99, node = 99;
    EQ(getcpu(&cpu, &node, NULL), 0);
    CHECK(cpu < (unsigned)sysconf(_SC_NPROCESSORS_CONF) && node == 0);
    EQ(getcpu(NULL, NULL, NULL), 0);
    EQ(flush(NULL, (void *)-1ul, 0), 0);
    EQ(flush(NULL, (void *)-1ul, 2), -EINVAL);
    /* li a7, 139; ecall: debuggers know a handler's frame by it. */
    static const uint32_t sigreturn[2] = {0x08b00893, 0x00000073};
    EQ(memcmp(function("__vdso_rt_sigreturn"), sigreturn, sizeof(sigreturn)), 0);
}

/* A clock that is set is set for everybody, at once. */
static void a_clock_that_is_set(void)
{
    get_fn *get = (get_fn *)function("__vdso_clock_gettime");
    const int64_t now = called(CLOCK_REALTIME), later = now + 1000 * NS;
    const struct timespec to = {later / NS, later % NS};
    struct timespec t;
    if (geteuid() != 0) {
        SKIP("only root sets clocks");
    }
    OK(syscall(SYS_clock_settime, CLOCK_REALTIME, &to));
    EQ(get(CLOCK_REALTIME, &t), 0);
    const int64_t seen = ns_of(&t), back = called(CLOCK_REALTIME) - 1000 * NS;
    const struct timespec restored = {back / NS, back % NS};
    OK(syscall(SYS_clock_settime, CLOCK_REALTIME, &restored));
    CHECK(seen >= later);
    EQ(get(CLOCK_REALTIME, &t), 0);
    CHECK(ns_of(&t) < later);
}

static void where_it_is(void)
{
    char line[256], name[64], flags[8];
    unsigned long from, to, code = getauxval(AT_SYSINFO_EHDR);
    bool found = false;
    FILE *maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL);
    while (fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%lx %7s %*x %*s %*s %63s", &from, &to, flags, name) == 4 &&
            strcmp(name, "[vdso]") == 0) {
            EQ(from, code);
            EQ(strcmp(flags, "r-xp"), 0);
            found = true;
        }
    }
    fclose(maps);
    CHECK(found);
}

/* Nobody but the system writes there, and a pointer that is none is the program's own fault. */
static void what_is_wrong(void)
{
    get_fn *get = (get_fn *)function("__vdso_clock_gettime");
    char *base = (char *)image().base;
    pid_t pid;
    const int fd = OK(open("/dev/zero", O_RDONLY));
    ERR(read(fd, base, 8), EFAULT);
    close(fd);
    CHILD(pid)
    {
        get(CLOCK_MONOTONIC, (struct timespec *)8);
    }
    wait_killed(pid, SIGSEGV);
    /* A child has it where its parent had it. */
    CHILD(pid)
    {
        struct timespec t;
        EQ(get(CLOCK_MONOTONIC, &t), 0);
    }
    wait_ok(pid);
}

const struct test vdso_tests[] = {
    {"clocks", clocks},
    {"resolution", resolution},
    {"time_of_day", time_of_day},
    {"others", others},
    {"a_clock_that_is_set", a_clock_that_is_set},
    {"where_it_is", where_it_is},
    {"what_is_wrong", what_is_wrong},
    {0},
};
