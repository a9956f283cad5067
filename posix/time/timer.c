/* POSIX timers: timer_create and its kin, on clocks and on CPU time.
 *
 * A timer that fires while its signal is still pending only counts an overrun; the count goes into the
 * siginfo when the signal is taken.  A timer with an interval whose signal is pending, or ignored, is armed
 * for some milliseconds later (TIMER_IDLE_NS), and rightly when the signal is taken; what it missed is
 * reckoned.  CPU time is looked at after upcalls, as for interval timers (itimer.c).
 */
#include <asm/errno.h>
#include <nx_base.h>
#include "proc.h"
#include "ptime.h"
#include "signal/signal_int.h"
#include "sys.h"
#include "time/clock.h"
#include "time/itimer.h"

#define TIMERS_MAX 256

struct posix_timer {
    struct posix_timer *next;
    struct ktimer timer;
    struct waiter on_set; /* of the realtime clock, for a date on it */
    struct process *proc;
    struct signode *signal;
    int id, notify, tid;
    int clock;             /* that it counts by: a relative time is none of the realtime clock */
    int dates;             /* the clock its absolute times are of */
    int cpu_tid;           /* of a thread's CPU time */
    int64_t end, interval; /* of its clock; end 0: off */
    int overrun;           /* since the last signal */
    int told_overrun;      /* with the last signal */
    bool slow;             /* armed for later than end */
};

struct ksigevent { /* struct sigevent */
    uint64_t value;
    int32_t signo, notify, tid, pad[11];
};

static struct posix_timer **find(struct process *p, int id)
{
    struct posix_timer **at = &p->timers;
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

/* ---- its clock ---- */

static bool on_cpu_time(const struct posix_timer *t)
{
    return t->clock == CLOCK_PROCESS_CPUTIME_ID || t->clock == CLOCK_THREAD_CPUTIME_ID;
}

static int64_t now_of(const struct posix_timer *t)
{
    int64_t now = 0;
    uint64_t u, s;
    if (t->clock == CLOCK_PROCESS_CPUTIME_ID) {
        process_times(t->proc, &u, &s, NULL, NULL);
        now = (int64_t)(u + s);
    } else if (t->clock == CLOCK_THREAD_CPUTIME_ID) {
        const struct task *of = task_find(t->cpu_tid);
        now = of && of->proc == t->proc ? (int64_t)task_cpu_ns(of) : 0;
    } else {
        clock_now(t->clock, &now);
    }
    return now;
}

static void arm(struct posix_timer *t)
{
    t->slow = false;
    if (t->notify == SIGEV_NONE)
        return; /* nobody is told: gettime reckons */
    if (on_cpu_time(t)) {
        t->proc->cpu_watched = true;
        return;
    }
    ktimer_set(&t->timer, clock_deadline(t->clock, t->end));
}

static void arm_slow(struct posix_timer *t)
{
    arm(t);
    uint64_t soon = time_ticks_after(TIMER_IDLE_NS);
    if (ktimer_is_set(&t->timer) && t->timer.deadline < soon) {
        ktimer_set(&t->timer, soon);
        t->slow = true;
    }
}

/* A timer with an interval goes on: how often it expired until now. */
static int64_t catch_up(struct posix_timer *t, int64_t now)
{
    if (now < t->end)
        return 0;
    int64_t n = (now - t->end) / t->interval + 1;
    if (__builtin_add_overflow(t->end, n * t->interval, &t->end))
        t->end = INT64_MAX;
    return n;
}

static void add_overrun(struct posix_timer *t, int64_t n)
{
    t->overrun = n > INT32_MAX - t->overrun ? INT32_MAX : t->overrun + (int)n;
}

static bool date_set(struct waiter *w)
{
    struct posix_timer *t = container_of(w, struct posix_timer, on_set);
    if (ktimer_is_set(&t->timer))
        arm(t);
    return true;
}

/* ---- firing ---- */

static void tell(struct posix_timer *t)
{
    struct task *to = NULL;
    if (t->notify & SIGEV_THREAD_ID) {
        to = task_find(t->tid);
        if (!to || to->proc != t->proc)
            return;
    }
    if (t->signal->queued)
        add_overrun(t, 1);
    else
        sig_send_held(t->proc, to, t->signal);
}

void posix_timer_told(struct process *p, struct ksiginfo *info)
{
    struct posix_timer *t = *find(p, info->u.timer.id);
    if (!t)
        return;
    if (t->slow) {
        add_overrun(t, catch_up(t, now_of(t)));
        arm(t);
    }
    info->u.timer.overrun = t->told_overrun = t->overrun;
    t->overrun = 0;
}

static void expired(struct posix_timer *t, int64_t now)
{
    if (t->interval) {
        add_overrun(t, catch_up(t, now) - 1);
        arm_slow(t);
    } else {
        t->end = 0;
    }
    tell(t);
}

static void fired(struct ktimer *k)
{
    struct posix_timer *t = container_of(k, struct posix_timer, timer);
    int64_t now = now_of(t);
    if (now < t->end) /* the clock was set back */
        arm(t);
    else
        expired(t, now);
}

uint64_t posix_timers_cpu_check(struct process *p)
{
    int64_t soonest = 0;
    for (struct posix_timer *t = p->timers; t; t = t->next) {
        if (!t->end || !on_cpu_time(t) || t->notify == SIGEV_NONE)
            continue;
        int64_t now = now_of(t);
        if (now >= t->end)
            expired(t, now);
        if (!t->end)
            continue;
        /* Other threads' time is as of their last switch. */
        int64_t left = t->clock == CLOCK_THREAD_CPUTIME_ID ? CPU_KICK_NS : t->end - now;
        soonest = !soonest || left < soonest ? left : soonest;
    }
    return (uint64_t)soonest;
}

static void drop(struct posix_timer **at)
{
    struct posix_timer *t = *at;
    *at = t->next;
    ktimer_cancel(&t->timer);
    wait_remove(&t->on_set);
    signode_let_go(t->signal);
    mb_free(t);
}

void posix_timers_drop(struct process *p)
{
    while (p->timers)
        drop(&p->timers);
}

static int decode(const struct ksigevent *e)
{
    switch (e->notify) {
    case SIGEV_NONE:
        return 0;
    case SIGEV_SIGNAL:
    case SIGEV_THREAD:
        break;
    case SIGEV_SIGNAL | SIGEV_THREAD_ID: {
        struct task *t = task_find(e->tid);
        if (!t || t->proc != current->proc)
            return -EINVAL;
        break;
    }
    default:
        return -EINVAL;
    }
    return e->signo < 1 || e->signo > SIG_COUNT ? -EINVAL : 0;
}

/* What a timer on this clock counts by. */
static int decode_clock(int clock, struct posix_timer *t)
{
    int64_t now;
    t->dates = clock;
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_TAI:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_PROCESS_CPUTIME_ID:
        return 0;
    case CLOCK_THREAD_CPUTIME_ID:
        t->cpu_tid = current->tid;
        return 0;
    default:
        break;
    }
    if (clock_now(clock, &now))
        return -EINVAL;
    if (clock >= 0)
        return -EOPNOTSUPP; /* the coarse ones, and alarms, which want a clock that wakes the machine */
    int nr = (int)(~(uint32_t)clock >> 3);
    if (!(clock & 4)) { /* a process: our own */
        t->dates = CLOCK_PROCESS_CPUTIME_ID;
        return !nr || nr == current->proc->pid ? 0 : -EINVAL;
    }
    t->dates = CLOCK_THREAD_CPUTIME_ID;
    t->cpu_tid = nr ? nr : current->tid;
    return 0;
}

long sys_timer_create(const uint64_t a[6])
{
    struct process *p = current->proc;
    struct ksigevent e = {.signo = SIGALRM, .notify = SIGEV_SIGNAL};
    struct posix_timer made = {.timer.fn = fired, .proc = p};
    int id = 0;
    int bad = decode_clock((int)a[0], &made);
    if (bad)
        return bad;
    if (a[1] && mb_copy_in(&e, a[1], sizeof e))
        return -EFAULT;
    int err = decode(&e);
    if (err)
        return err;
    while (id < TIMERS_MAX && *find(p, id))
        id++;
    if (id == TIMERS_MAX)
        return -EAGAIN;
    int32_t out = id;
    if (mb_copy_out(a[2], &out, sizeof out))
        return -EFAULT;
    struct posix_timer *t = mb_alloc(sizeof *t);
    struct signode *signal =
        t ? signode_make(current->user, p->rlimit[RLIMIT_SIGPENDING][0]) : NULL;
    if (!signal) {
        mb_free(t);
        return -EAGAIN;
    }
    signal->held = true;
    signal->info = (struct ksiginfo){.signo = e.signo, .code = SI_TIMER};
    signal->info.u.timer.id = id;
    signal->info.u.timer.value = a[1] ? e.value : (uint64_t)id;
    *t = made;
    t->signal = signal;
    t->id = id;
    t->clock = t->dates == CLOCK_REALTIME || t->dates == CLOCK_TAI ? CLOCK_MONOTONIC : t->dates;
    t->notify = e.notify;
    t->tid = e.tid;
    t->next = p->timers;
    p->timers = t;
    return 0;
}

static int put(uint64_t uaddr, struct posix_timer *t)
{
    int64_t left = 0;
    if (t->end) {
        int64_t now = now_of(t);
        bool silent = t->notify == SIGEV_NONE;
        if (silent && t->interval)
            catch_up(t, now);
        left = t->end > now ? t->end - now : silent ? 0 : 1;
    }
    if (time_put_timespec(uaddr, t->interval))
        return -EFAULT;
    return time_put_timespec(uaddr + sizeof(struct ktimespec), left);
}

long sys_timer_gettime(const uint64_t a[6])
{
    struct posix_timer *t = *find(current->proc, (int)a[0]);
    return t ? put(a[1], t) : -EINVAL;
}

long sys_timer_getoverrun(const uint64_t a[6])
{
    const struct posix_timer *t = *find(current->proc, (int)a[0]);
    return t ? t->told_overrun : -EINVAL;
}

static void set(struct posix_timer *t, bool date, int64_t value, int64_t interval)
{
    ktimer_cancel(&t->timer);
    wait_remove(&t->on_set);
    t->interval = interval;
    t->end = 0;
    t->slow = false; /* a signal that is taken later does not set off a timer that is off */
    t->overrun = t->told_overrun = 0;
    if (!value)
        return;
    bool settable = t->dates == CLOCK_REALTIME || t->dates == CLOCK_TAI;
    if (settable)
        t->clock = date ? t->dates : CLOCK_MONOTONIC;
    if (settable && date)
        wait_add_fn(&clock_set, &t->on_set, date_set);
    int64_t now = now_of(t);
    t->end = date ? value : value > INT64_MAX - now ? INT64_MAX : now + value;
    arm(t);
}

long sys_timer_settime(const uint64_t a[6])
{
    struct posix_timer *t = *find(current->proc, (int)a[0]);
    int64_t interval, value;
    if (!a[2])
        return -EINVAL;
    int err = time_get_timespec(a[2], &interval);
    if (!err)
        err = time_get_timespec(a[2] + sizeof(struct ktimespec), &value);
    if (err)
        return err;
    if (!t)
        return -EINVAL;
    if (a[3] && put(a[3], t))
        return -EFAULT;
    set(t, a[1] & TIMER_ABSTIME, value, interval);
    return 0;
}

long sys_timer_delete(const uint64_t a[6])
{
    struct posix_timer **at = find(current->proc, (int)a[0]);
    if (!*at)
        return -EINVAL;
    drop(at);
    return 0;
}
