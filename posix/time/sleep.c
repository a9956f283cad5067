/* nanosleep and clock_nanosleep.
 *
 * An absolute sleep on the realtime clock looks again when that clock is set.  A relative sleep that a
 * signal interrupts without a handler goes on until its original end (restart_syscall).
 */
#include <asm/errno.h>
#include "proc.h"
#include "ptime.h"
#include "sig.h"
#include "sys.h"
#include "time/clock.h"

static struct waitq sleepers; /* never woken but by signals and deadlines */
struct waitq clock_set;

uint64_t clock_deadline(int id, int64_t ns)
{
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_ALARM || id == CLOCK_TAI)
        ns = ns == INT64_MAX ? ns : ns - time_realtime_offset();
    return time_ticks_at(ns);
}

static bool may_sleep_on(int id)
{
    switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_TAI:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_BOOTTIME_ALARM:
        return true;
    default:
        return false;
    }
}

static long sleep_until_date(int id, int64_t ns)
{
    for (;;) {
        uint64_t deadline = clock_deadline(id, ns);
        if (deadline <= mb_ticks())
            return 0;
        int err = wait_on(&clock_set, deadline);
        if (err && err != -ETIMEDOUT)
            return -ERESTARTNOHAND;
    }
}

/* arg: 0 deadline in ticks, 1 where the rest goes or 0 */
static long sleep_rest(struct restart *r)
{
    uint64_t deadline = r->arg[0];
    while (mb_ticks() < deadline) {
        int err = wait_on(&sleepers, deadline);
        if (!err || err == -ETIMEDOUT)
            continue;
        if (r->arg[1]) {
            uint64_t now = mb_ticks();
            uint64_t left = now < deadline ? mb_ticks_to_ns(deadline - now) : 0;
            if (time_put_timespec(r->arg[1], (int64_t)left))
                return -EFAULT;
        }
        r->fn = sleep_rest;
        return -ERESTART_BLOCK;
    }
    return 0;
}

static long sleep_for(int64_t ns, uint64_t urest)
{
    struct restart *r = &current->restart;
    r->arg[0] = time_ticks_after((uint64_t)ns);
    r->arg[1] = urest;
    return sleep_rest(r);
}

long sys_nanosleep(const uint64_t a[6])
{
    int64_t ns;
    int err = time_get_timespec(a[0], &ns);
    return err ? err : sleep_for(ns, a[1]);
}

long sys_clock_nanosleep(const uint64_t a[6])
{
    int id = (int)a[0];
    int64_t ns;
    if (id == CLOCK_PROCESS_CPUTIME_ID || id == CLOCK_THREAD_CPUTIME_ID ||
        id == CLOCK_MONOTONIC_RAW)
        return -EOPNOTSUPP;
    if (id == CLOCK_REALTIME_COARSE || id == CLOCK_MONOTONIC_COARSE)
        return -EOPNOTSUPP;
    if (!may_sleep_on(id))
        return -EINVAL;
    int err = time_get_timespec(a[2], &ns);
    if (err)
        return err;
    return a[1] & TIMER_ABSTIME ? sleep_until_date(id, ns) : sleep_for(ns, a[3]);
}

long sys_restart_syscall(const uint64_t a[6])
{
    struct restart *r = &current->restart;
    return r->fn ? r->fn(r) : -EINTR;
}
