/* Clocks: reading and setting them, and the conversions between programs' structures and ours. */
#include <asm/errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "mm.h"
#include "proc.h"
#include "ptime.h"
#include "sys.h"
#include "time/clock.h"

/* Without an RTC the clock starts here unless the boot arguments say otherwise: 2025-01-01 UTC, the
 * date the build stamps its files with. */
#define EPOCH_DEFAULT 1735689600ll

static int64_t realtime_offset; /* ns: realtime - monotonic */

void time_init(void)
{
    int64_t epoch = EPOCH_DEFAULT;
    const char *arg = mb_bootargs();
    while (arg && (arg = strstr(arg, "epoch="))) {
        int64_t given = strtoll(arg + strlen("epoch="), NULL, 10);
        if (given > 0 && given < INT64_MAX / NSEC_PER_SEC)
            epoch = given;
        arg++;
    }
    realtime_offset = epoch * NSEC_PER_SEC - time_monotonic_ns();
    vdso_clock(mb_ns_per_tick(), realtime_offset);
}

int64_t time_monotonic_ns(void)
{
    return (int64_t)mb_ticks_to_ns(mb_ticks());
}

int64_t time_realtime_ns(void)
{
    return time_monotonic_ns() + realtime_offset;
}

int64_t time_realtime_offset(void)
{
    return realtime_offset;
}

uint64_t time_ticks_after(uint64_t ns)
{
    uint64_t now = mb_ticks(), d = mb_ns_to_ticks(ns);
    return d >= MB_NEVER - 1 - now ? MB_NEVER - 1 : now + d;
}

uint64_t time_ticks_at(int64_t monotonic_ns)
{
    return monotonic_ns <= 0 ? 0 : mb_ns_to_ticks((uint64_t)monotonic_ns);
}

/* ---- programs' structures ---- */

static int64_t saturating_ns(int64_t sec, int64_t nsec)
{
    if (sec >= INT64_MAX / NSEC_PER_SEC)
        return INT64_MAX;
    return sec * NSEC_PER_SEC + nsec;
}

int time_get_timespec(uint64_t uaddr, int64_t *ns)
{
    struct ktimespec ts;
    if (mb_copy_in(&ts, uaddr, sizeof ts))
        return -EFAULT;
    if (ts.sec < 0 || (uint64_t)ts.nsec >= NSEC_PER_SEC)
        return -EINVAL;
    *ns = saturating_ns(ts.sec, ts.nsec);
    return 0;
}

int time_put_timespec(uint64_t uaddr, int64_t ns)
{
    struct ktimespec ts = {ns / NSEC_PER_SEC, ns % NSEC_PER_SEC};
    return mb_copy_out(uaddr, &ts, sizeof ts);
}

int time_get_timeval(uint64_t uaddr, int64_t *ns)
{
    struct ktimeval tv;
    if (mb_copy_in(&tv, uaddr, sizeof tv))
        return -EFAULT;
    if (tv.sec < 0 || (uint64_t)tv.usec >= 1000000)
        return -EINVAL;
    *ns = saturating_ns(tv.sec, tv.usec * 1000);
    return 0;
}

int time_put_timeval(uint64_t uaddr, int64_t ns)
{
    struct ktimeval tv = {ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 1000};
    return mb_copy_out(uaddr, &tv, sizeof tv);
}

/* ---- clocks by number ---- */

#define COARSE_NS \
    4000000 /* what Linux' coarse clocks promise at HZ=250; ours are as fine as the others */

static int cpu_clock(int id, int64_t *ns)
{
    int pid = CLOCK_PID(id);
    if (CLOCK_KIND(id) == CLOCK_KIND_NONE)
        return -EINVAL;
    if (CLOCK_IS_THREADS(id)) {
        struct task *t = pid ? task_find(pid) : current;
        if (!t || t->proc != current->proc)
            return -EINVAL;
        *ns = (int64_t)task_cpu_ns(t);
        return 0;
    }
    struct process *p = pid ? process_find(pid) : current->proc;
    if (!p)
        return -EINVAL;
    uint64_t u, s;
    process_times(p, &u, &s, NULL, NULL);
    *ns = (int64_t)(u + s);
    return 0;
}

bool clock_exists(int id)
{
    int64_t ns;
    if (id < 0)
        return CLOCK_IS_THREADS(id) || CLOCK_KIND(id) != CLOCK_KIND_NONE;
    return !clock_now(id, &ns);
}

int clock_now(int id, int64_t *ns)
{
    uint64_t u, s;
    switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
        *ns = time_realtime_ns();
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        *ns = time_monotonic_ns();
        return 0;
    case CLOCK_TAI:
        *ns = time_realtime_ns();
        return 0;
    case CLOCK_PROCESS_CPUTIME_ID:
        process_times(current->proc, &u, &s, NULL, NULL);
        *ns = (int64_t)(u + s);
        return 0;
    case CLOCK_THREAD_CPUTIME_ID:
        *ns = (int64_t)task_run_ns(current);
        return 0;
    default:
        return id < 0 ? cpu_clock(id, ns) : -EINVAL;
    }
}

long sys_clock_gettime(const uint64_t a[6])
{
    int64_t ns;
    int err = clock_now((int)a[0], &ns);
    return err ? err : time_put_timespec(a[1], ns);
}

long sys_clock_getres(const uint64_t a[6])
{
    int64_t ns;
    int id = (int)a[0], err = clock_now(id, &ns);
    if (err)
        return err;
    bool coarse = id < 0 ? CLOCK_KIND(id) != CLOCK_KIND_RUN
                         : id == CLOCK_REALTIME_COARSE || id == CLOCK_MONOTONIC_COARSE;
    return a[1] ? time_put_timespec(a[1], coarse ? COARSE_NS : 1) : 0;
}

void time_set_realtime(int64_t ns)
{
    realtime_offset = ns - time_monotonic_ns();
    vdso_clock(mb_ns_per_tick(), realtime_offset);
    wait_wake(&clock_set);
}

static long set_realtime(int64_t ns)
{
    if (!capable(CAP_SYS_TIME))
        return -EPERM;
    if (ns < time_monotonic_ns())
        return -EINVAL; /* before the system was started */
    time_set_realtime(ns);
    return 0;
}

long sys_clock_settime(const uint64_t a[6])
{
    struct ktimespec ts;
    int64_t ns;
    int id = (int)a[0];
    if (id > 0 || !clock_exists(id))
        return -EINVAL;
    if (mb_copy_in(&ts, a[1], sizeof ts))
        return -EFAULT;
    if (id < 0)
        return clock_now(id, &ns) ? -EINVAL : -EPERM;
    int err = time_get_timespec(a[1], &ns);
    return err ? err : set_realtime(ns);
}

struct timezone_ {
    int32_t minutes_west, dst;
};
static struct timezone_ zone;
#define ZONE_MOST (15 * 60)

long sys_gettimeofday(const uint64_t a[6])
{
    if (a[0] && time_put_timeval(a[0], time_realtime_ns()))
        return -EFAULT;
    return a[1] ? mb_copy_out(a[1], &zone, sizeof zone) : 0;
}

long sys_settimeofday(const uint64_t a[6])
{
    int64_t ns;
    struct timezone_ z;
    if (a[0]) {
        int err = time_get_timeval(a[0], &ns);
        if (err)
            return err;
    }
    if (a[1] && mb_copy_in(&z, a[1], sizeof z))
        return -EFAULT;
    if (!capable(CAP_SYS_TIME))
        return -EPERM;
    if (a[1] && (z.minutes_west > ZONE_MOST || z.minutes_west < -ZONE_MOST))
        return -EINVAL;
    if (a[1])
        zone = z;
    return a[0] ? set_realtime(ns) : 0;
}
