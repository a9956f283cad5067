/* POSIX timers: timer_create and its kin, on the realtime, monotonic and boottime clocks.
 *
 * A timer that fires while its signal is still pending only counts an overrun; the count goes into the
 * siginfo when the signal is taken.
 */
#include <asm/errno.h>
#include <nx_base.h>
#include "proc.h"
#include "ptime.h"
#include "sig.h"
#include "sys.h"
#include "time/clock.h"
#include "time/itimer.h"

#define TIMERS_MAX 256

struct posix_timer {
    struct posix_timer *next;
    struct ktimer timer;
    struct process *proc;
    int id, clock, notify, signo, tid;
    uint64_t value;        /* for siginfo */
    int64_t end, interval; /* of its clock; end 0: off */
    int overrun;           /* since the last signal */
    int told_overrun;      /* with the last signal */
};

struct ksigevent { /* the part of sigevent that means something */
    uint64_t value;
    int32_t signo, notify, tid, pad;
};
#define SIGEVENT_READ 20

static struct posix_timer **find(struct process *p, int id)
{
    struct posix_timer **at = &p->timers;
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static void arm(struct posix_timer *t)
{
    ktimer_set(&t->timer, clock_deadline(t->clock, t->end));
}

static void fire(struct posix_timer *t)
{
    struct ksiginfo info = {.signo = t->signo, .code = SI_TIMER};
    if (t->notify == SIGEV_NONE)
        return;
    info.u.timer.id = t->id;
    info.u.timer.value = t->value;
    struct task *to = NULL;
    if (t->notify & SIGEV_THREAD_ID) {
        to = task_find(t->tid);
        if (!to || to->proc != t->proc)
            return;
    }
    uint64_t pending = to ? to->sigpending : t->proc->sigpending;
    if (pending & SIG_BIT(t->signo)) {
        t->overrun++;
        return;
    }
    sig_send(t->proc, to, t->signo, &info);
}

void posix_timer_told(struct process *p, struct ksiginfo *info)
{
    struct posix_timer *t = *find(p, info->u.timer.id);
    if (!t)
        return;
    info->u.timer.overrun = t->told_overrun = t->overrun;
    t->overrun = 0;
}

static void fired(struct ktimer *k)
{
    struct posix_timer *t = container_of(k, struct posix_timer, timer);
    int64_t now;
    clock_now(t->clock, &now);
    if (now < t->end) { /* the clock was set back */
        arm(t);
        return;
    }
    if (t->interval) {
        int64_t missed = (now - t->end) / t->interval;
        t->end += (missed + 1) * t->interval;
        t->overrun += (int)missed;
        arm(t);
    } else {
        t->end = 0;
    }
    fire(t);
}

static void drop(struct posix_timer **at)
{
    struct posix_timer *t = *at;
    *at = t->next;
    ktimer_cancel(&t->timer);
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

long sys_timer_create(const uint64_t a[6])
{
    struct process *p = current->proc;
    struct ksigevent e = {.signo = SIGALRM, .notify = SIGEV_SIGNAL};
    int clock = (int)a[0], id = 0;
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
        return clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID ? -EOPNOTSUPP
                                                                                     : -EINVAL;
    if (a[1] && mb_copy_in(&e, a[1], SIGEVENT_READ))
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
    struct posix_timer *t = mb_zalloc(sizeof *t);
    if (!t)
        return -EAGAIN;
    t->timer.fn = fired;
    t->proc = p;
    t->id = id;
    t->clock = clock;
    t->notify = e.notify;
    t->signo = e.signo;
    t->tid = e.tid;
    t->value = a[1] ? e.value : (uint64_t)id;
    t->next = p->timers;
    p->timers = t;
    return 0;
}

static int put(uint64_t uaddr, const struct posix_timer *t)
{
    int64_t now, value = 0;
    clock_now(t->clock, &now);
    if (t->end)
        value = t->end > now ? t->end - now : 1;
    if (time_put_timespec(uaddr, t->interval))
        return -EFAULT;
    return time_put_timespec(uaddr + sizeof(struct ktimespec), value);
}

long sys_timer_gettime(const uint64_t a[6])
{
    struct posix_timer *t = *find(current->proc, (int)a[0]);
    return t ? put(a[1], t) : -EINVAL;
}

long sys_timer_getoverrun(const uint64_t a[6])
{
    struct posix_timer *t = *find(current->proc, (int)a[0]);
    return t ? t->told_overrun : -EINVAL;
}

long sys_timer_settime(const uint64_t a[6])
{
    struct posix_timer *t = *find(current->proc, (int)a[0]);
    int64_t interval, value, now;
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
    ktimer_cancel(&t->timer);
    t->interval = interval;
    t->end = 0;
    t->overrun = t->told_overrun = 0;
    if (!value)
        return 0;
    clock_now(t->clock, &now);
    t->end = a[1] & TIMER_ABSTIME ? value : value > INT64_MAX - now ? INT64_MAX : now + value;
    arm(t);
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
