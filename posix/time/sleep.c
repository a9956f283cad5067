/* nanosleep and clock_nanosleep.
 *
 * An absolute sleep on the realtime clock looks again when that clock is set.  A relative sleep that a
 * signal interrupts without a handler goes on until its original end (restart_syscall).  Who sleeps by the CPU time
 * of a process looks at it when it could have come, at most every CPU_KICK_NS.
 */
#include <asm/errno.h>
#include "proc.h"
#include "ptime.h"
#include "sig.h"
#include "sys.h"
#include "time/clock.h"
#include "time/itimer.h"

#define OWN_RUN ((int)(~0u << 3 | CLOCK_KIND_RUN)) /* of the process that asks */

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

/* ---- by CPU time ---- */

/* How many of its threads can run at a time: so fast its clock goes at most. */
static uint64_t speed(int id)
{
    const struct process *p = CLOCK_PID(id) ? process_find(CLOCK_PID(id)) : current->proc;
    uint64_t harts = mb_harts(), n = p && !CLOCK_IS_THREADS(id) ? p->nthreads : 1;
    return n < 1 ? 1 : n < harts ? n : harts;
}

/* What a thread has run is known when it leaves its program. */
static void kick(int id)
{
    struct process *p = CLOCK_PID(id) ? process_find(CLOCK_PID(id)) : current->proc;
    for (struct task *t = p ? p->threads : NULL; t; t = t->next_thread)
        if (t != current && t->state == 'R')
            mb_wake(t->fiber);
}

/* Until its clock says `end`.  When there is nobody any more whose clock it is, that never comes. */
static int sleep_until_run(int id, int64_t end, int64_t *left)
{
    bool gone = false;
    *left = 0;
    for (;;) {
        int64_t now;
        uint64_t deadline = MB_NEVER;
        gone = gone || clock_now(id, &now);
        if (!gone) {
            if (now >= end)
                return 0;
            *left = end - now;
            uint64_t wait = (uint64_t)*left / speed(id);
            deadline = time_ticks_after(wait < CPU_KICK_NS ? CPU_KICK_NS : wait);
        }
        int err = wait_on(&sleepers, deadline);
        if (err && err != -ETIMEDOUT)
            return err;
        kick(id);
    }
}

/* arg: 0 the clock, 1 its value at the end, 2 where the rest goes or 0 */
static long run_rest(struct restart *r)
{
    int64_t left, now;
    if (clock_now((int)r->arg[0], &now))
        return -EINVAL;
    if (!sleep_until_run((int)r->arg[0], (int64_t)r->arg[1], &left))
        return 0;
    if (r->arg[2] && time_put_timespec(r->arg[2], left))
        return -EFAULT;
    r->fn = run_rest;
    return -ERESTART_BLOCK;
}

static long sleep_by_run(int id, bool date, int64_t ns, uint64_t urest)
{
    struct restart *r = &current->restart;
    int64_t now, left;
    int of = CLOCK_PID(id);
    if (CLOCK_IS_THREADS(id) && (of == 0 || of == current->tid))
        return -EINVAL; /* it would never end */
    if (clock_now(id, &now))
        return -EINVAL;
    if (date)
        return sleep_until_run(id, ns, &left) ? -ERESTARTNOHAND : 0;
    r->arg[0] = (uint64_t)id;
    r->arg[1] = (uint64_t)(ns > INT64_MAX - now ? INT64_MAX : now + ns);
    r->arg[2] = urest;
    return run_rest(r);
}

long sys_clock_nanosleep(const uint64_t a[6])
{
    int id = (int)a[0];
    bool date = a[1] & TIMER_ABSTIME;
    int64_t ns;
    if (!clock_exists(id))
        return id < 0 ? -EOPNOTSUPP : -EINVAL;
    if (id == CLOCK_PROCESS_CPUTIME_ID)
        id = OWN_RUN;
    if (id >= 0 && !may_sleep_on(id))
        return -EOPNOTSUPP;
    int err = time_get_timespec(a[2], &ns);
    if (err)
        return err;
    if (id < 0)
        return sleep_by_run(id, date, ns, a[3]);
    return date ? sleep_until_date(id, ns) : sleep_for(ns, a[3]);
}

long sys_restart_syscall(const uint64_t a[6])
{
    struct restart *r = &current->restart;
    return r->fn ? r->fn(r) : -EINTR;
}
