/* setitimer, getitimer: SIGALRM by the clock, SIGVTALRM and SIGPROF by CPU time; and RLIMIT_CPU.
 *
 * The structure is made when a process first needs one.  CPU time is known after an upcall, so a process
 * with a CPU timer or limit (cpu_watched) is looked at after each, and kicked out of its program when the
 * time could have come, at most every CPU_KICK_NS.
 */
#include <asm/errno.h>
#include <nx_base.h>
#include "proc.h"
#include "ptime.h"
#include "sig.h"
#include "sys.h"
#include "time/itimer.h"
#include "time_abi.h"

struct itimers {
    struct ktimer real, kick;
    struct process *proc;
    int64_t real_end, real_interval; /* monotonic ns; end 0: off */
    bool real_slow;                  /* armed for later than real_end */
    struct cpu_timer {
        uint64_t end, interval; /* ns of CPU time; end 0: off */
    } cpu[2];                   /* ITIMER_VIRTUAL, ITIMER_PROF */
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
        /* While nobody takes the signal there is no hurry. */
        uint64_t at = time_ticks_at(t->real_end), soon = time_ticks_after(TIMER_IDLE_NS);
        t->real_slow = at < soon;
        ktimer_set(k, t->real_slow ? soon : at);
    } else {
        t->real_end = 0;
    }
    sig_send(t->proc, NULL, SIGALRM, NULL);
}

void timers_signal_taken(struct process *p, struct ksiginfo *info)
{
    struct itimers *t = p->itimers;
    if (info->code == SI_TIMER)
        posix_timer_told(p, info);
    if (info->signo == SIGALRM && t && t->real_slow) {
        t->real_slow = false;
        ktimer_set(&t->real, time_ticks_at(t->real_end));
    }
}

static uint64_t cpu_time(const struct process *p, int which)
{
    uint64_t u, s;
    process_times(p, &u, &s, NULL, NULL);
    return which == ITIMER_VIRTUAL ? u : u + s;
}

/* Fires it if its time has come; what is left until it (next) fires, 0: off. */
static uint64_t cpu_check(struct process *p, int which, int sig)
{
    struct cpu_timer *c = &p->itimers->cpu[which - ITIMER_VIRTUAL];
    if (!c->end)
        return 0;
    uint64_t now = cpu_time(p, which);
    if (now >= c->end) {
        c->end = c->interval ? now + c->interval : 0;
        sig_send(p, NULL, sig, NULL);
    }
    return c->end ? c->end - now : 0;
}

static uint64_t limit_check(struct process *p)
{
    uint64_t *limit = p->rlimit[RLIMIT_CPU]; /* seconds */
    if (limit[0] == RLIM_INFINITY)
        return 0;
    uint64_t now = cpu_time(p, ITIMER_PROF);
    if (limit[1] != RLIM_INFINITY && now / NSEC_PER_SEC >= limit[1]) {
        proc_group_exit(p, SIGKILL);
        return 0;
    }
    if (now / NSEC_PER_SEC >= limit[0]) {
        sig_send(p, NULL, SIGXCPU, NULL);
        limit[0]++; /* once more each second */
    }
    return NSEC_PER_SEC;
}

static void kick(struct ktimer *k)
{
    struct process *p = container_of(k, struct itimers, kick)->proc;
    for (struct task *t = p->threads; t; t = t->next_thread)
        mb_wake(t->fiber);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
    return !a || (b && b < a) ? b : a;
}

static struct itimers *itimers_of(struct process *p)
{
    if (!p->itimers) {
        p->itimers = mb_zalloc(sizeof *p->itimers);
        if (!p->itimers)
            return NULL;
        p->itimers->proc = p;
        p->itimers->real.fn = real_fired;
        p->itimers->kick.fn = kick;
    }
    return p->itimers;
}

void itimers_cpu_check(struct process *p)
{
    if (p->dying || !itimers_of(p))
        return;
    uint64_t next = sooner(cpu_check(p, ITIMER_VIRTUAL, SIGVTALRM),
                           sooner(cpu_check(p, ITIMER_PROF, SIGPROF), limit_check(p)));
    next = sooner(next, posix_timers_cpu_check(p));
    if (!next) {
        p->cpu_watched = false;
        ktimer_cancel(&p->itimers->kick);
    } else if (!ktimer_is_set(&p->itimers->kick)) {
        next /= p->nthreads ? p->nthreads : 1;
        ktimer_set(&p->itimers->kick, time_ticks_after(next < CPU_KICK_NS ? CPU_KICK_NS : next));
    }
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
    ktimer_cancel(&p->itimers->kick);
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
    struct itimers *t = itimers_of(p);
    if (!t)
        return -ENOMEM;
    if (which != ITIMER_REAL) {
        struct cpu_timer *c = &t->cpu[which - ITIMER_VIRTUAL];
        c->end = value ? cpu_time(p, which) + (uint64_t)value : 0;
        c->interval = (uint64_t)interval;
        p->cpu_watched = true; /* this call's own end arms the kick */
        return 0;
    }
    t->real_interval = interval;
    t->real_slow = false;
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
