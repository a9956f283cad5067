/* setitimer, getitimer: SIGALRM by the clock, SIGVTALRM and SIGPROF by CPU time.
 *
 * The structure is made when a process first sets a timer.  CPU-time timers are looked at when the
 * process makes an upcall: one that only computes is late by as long as it makes none.
 */
#include <asm/errno.h>
#include <nx_base.h>
#include "proc.h"
#include "ptime.h"
#include "sig.h"
#include "sys.h"
#include "time/itimer.h"
#ifdef NX_HOST
#include <sys/time.h>
#else
#include <linux/time.h>
#endif

struct itimers {
    struct ktimer real;
    struct process *proc;
    int64_t real_end, real_interval; /* monotonic ns; end 0: off */
    struct cpu_timer {
        uint64_t end, interval; /* ns of CPU time; end 0: off */
    } cpu[2];               /* ITIMER_VIRTUAL, ITIMER_PROF */
};

struct kitimerval {
    struct ktimeval interval, value;
};

static void real_fired(struct ktimer *k)
{
    struct itimers *t = container_of(k, struct itimers, real);
    if (t->real_interval) {
        int64_t now = time_monotonic_ns();
        t->real_end += t->real_interval;
        if (t->real_end <= now) /* late by several: the signal would have coalesced */
            t->real_end = now + t->real_interval;
        ktimer_set(k, time_ticks_at(t->real_end));
    } else {
        t->real_end = 0;
    }
    sig_send(t->proc, NULL, SIGALRM, NULL);
}

static uint64_t cpu_time(const struct process *p, int which)
{
    uint64_t u, s;
    process_times(p, &u, &s, NULL, NULL);
    return which == ITIMER_VIRTUAL ? u : u + s;
}

static void cpu_check(struct process *p, int which, int sig)
{
    struct cpu_timer *c = &p->itimers->cpu[which - ITIMER_VIRTUAL];
    if (!c->end)
        return;
    uint64_t now = cpu_time(p, which);
    if (now < c->end)
        return;
    c->end = c->interval ? now + c->interval : 0;
    sig_send(p, NULL, sig, NULL);
}

void itimers_cpu_check(struct process *p)
{
    cpu_check(p, ITIMER_VIRTUAL, SIGVTALRM);
    cpu_check(p, ITIMER_PROF, SIGPROF);
}

void timers_exec(struct process *p)
{
    posix_timers_drop(p);
}

void timers_drop(struct process *p)
{
    posix_timers_drop(p);
    if (!p->itimers)
        return;
    ktimer_cancel(&p->itimers->real);
    mb_free(p->itimers);
    p->itimers = NULL;
}

static struct ktimeval timeval(int64_t ns)
{
    return (struct ktimeval){ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 1000};
}

/* What is left, at least a microsecond while it is on. */
static int64_t left(int64_t end, int64_t now)
{
    return !end ? 0 : end - now < 1000 ? 1000 : end - now;
}

static struct kitimerval get(const struct process *p, int which)
{
    const struct itimers *t = p->itimers;
    if (!t)
        return (struct kitimerval){{0, 0}, {0, 0}};
    if (which == ITIMER_REAL)
        return (struct kitimerval){timeval(t->real_interval),
                                   timeval(left(t->real_end, time_monotonic_ns()))};
    const struct cpu_timer *c = &t->cpu[which - ITIMER_VIRTUAL];
    return (struct kitimerval){timeval((int64_t)c->interval),
                               timeval(left((int64_t)c->end, (int64_t)cpu_time(p, which)))};
}

static int set(struct process *p, int which, int64_t value, int64_t interval)
{
    if (!p->itimers) {
        p->itimers = mb_zalloc(sizeof *p->itimers);
        if (!p->itimers)
            return -ENOMEM;
        p->itimers->proc = p;
        p->itimers->real.fn = real_fired;
    }
    struct itimers *t = p->itimers;
    if (which != ITIMER_REAL) {
        struct cpu_timer *c = &t->cpu[which - ITIMER_VIRTUAL];
        c->end = value ? cpu_time(p, which) + (uint64_t)value : 0;
        c->interval = (uint64_t)interval;
        return 0;
    }
    t->real_interval = interval;
    if (!value) {
        t->real_end = 0;
        ktimer_cancel(&t->real);
        return 0;
    }
    t->real_end = value > INT64_MAX - time_monotonic_ns() ? INT64_MAX : time_monotonic_ns() + value;
    ktimer_set(&t->real, time_ticks_at(t->real_end));
    return 0;
}

long sys_getitimer(const uint64_t a[6])
{
    int which = (int)a[0];
    if (which < ITIMER_REAL || which > ITIMER_PROF)
        return -EINVAL;
    struct kitimerval v = get(current->proc, which);
    return mb_copy_out(a[1], &v, sizeof v);
}

long sys_setitimer(const uint64_t a[6])
{
    int which = (int)a[0];
    int64_t value = 0, interval = 0;
    if (a[1]) {
        int err = time_get_timeval(a[1], &interval);
        if (!err)
            err = time_get_timeval(a[1] + sizeof(struct ktimeval), &value);
        if (err)
            return err;
    }
    if (which < ITIMER_REAL || which > ITIMER_PROF)
        return -EINVAL;
    struct kitimerval old = get(current->proc, which);
    int err = set(current->proc, which, value, interval);
    if (err)
        return err;
    return a[2] ? mb_copy_out(a[2], &old, sizeof old) : 0;
}
