/* The vDSO: functions of the system that are answered in the program itself, without a call where that can be.
 *
 * Names, versions and meanings are those of Linux for riscv64 (vdso(7)); vdso.ld gives them their place. Programs find them
 * by AT_SYSINFO_EHDR; C libraries do. The personality maps this image, and before it the page `vvar` (posix/mem/vdso.c).
 */
#include <asm/unistd.h>
#include <linux/time.h>
#include <stddef.h>
#include <stdint.h>
#include <vvar.h>

#define NS_PER_S 1000000000
#define NS_PER_US 1000
#define COARSE_NS 4000000 /* as the call says: posix/time/clock.c */
#define EXPORT __attribute__((visibility("default")))

extern const volatile struct vvar vvar __attribute__((visibility("hidden")));

EXPORT int __vdso_clock_gettime(__kernel_clockid_t id, struct __kernel_timespec *t);
EXPORT int __vdso_clock_getres(__kernel_clockid_t id, struct __kernel_timespec *t);
EXPORT int __vdso_gettimeofday(struct __kernel_old_timeval *t, void *zone);
EXPORT int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);
EXPORT int __vdso_flush_icache(uintptr_t from, uintptr_t to, uintptr_t flags);

static long ask(long nr, long a, long b, long c)
{
    register long a0 __asm__("a0") = a;
    register long a1 __asm__("a1") = b;
    register long a2 __asm__("a2") = c;
    register long a7 __asm__("a7") = nr;
    __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
    return a0;
}

/* Nanoseconds of a clock all programs share: false when it is not one of them. */
static int shared_clock(__kernel_clockid_t id, int64_t *ns)
{
    const uint64_t each = vvar.ns_per_tick;
    int64_t offset = 0;
    switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        offset = vvar.realtime_offset;
        break;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        break;
    default:
        return 0;
    }
    uint64_t ticks;
    __asm__ volatile("rdtime %0" : "=r"(ticks));
    *ns = (int64_t)(ticks * each) + offset;
    return each != 0;
}

int __vdso_clock_gettime(__kernel_clockid_t id, struct __kernel_timespec *t)
{
    int64_t ns;
    if (!shared_clock(id, &ns)) {
        return (int)ask(__NR_clock_gettime, id, (long)t, 0);
    }
    t->tv_sec = ns / NS_PER_S;
    t->tv_nsec = ns % NS_PER_S;
    return 0;
}

int __vdso_clock_getres(__kernel_clockid_t id, struct __kernel_timespec *t)
{
    int64_t ns;
    if (!shared_clock(id, &ns)) {
        return (int)ask(__NR_clock_getres, id, (long)t, 0);
    }
    if (t != NULL) {
        t->tv_sec = 0;
        t->tv_nsec = id == CLOCK_REALTIME_COARSE || id == CLOCK_MONOTONIC_COARSE ? COARSE_NS : 1;
    }
    return 0;
}

int __vdso_gettimeofday(struct __kernel_old_timeval *t, void *zone)
{
    int64_t ns;
    if (zone != NULL || t == NULL || !shared_clock(CLOCK_REALTIME, &ns)) {
        return (int)ask(__NR_gettimeofday, (long)t, (long)zone, 0);
    }
    t->tv_sec = ns / NS_PER_S;
    t->tv_usec = ns % NS_PER_S / NS_PER_US;
    return 0;
}

int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
    return (int)ask(__NR_getcpu, (long)cpu, (long)node, (long)unused);
}

int __vdso_flush_icache(uintptr_t from, uintptr_t to, uintptr_t flags)
{
    return (int)ask(__NR_riscv_flush_icache, (long)from, (long)to, (long)flags);
}
