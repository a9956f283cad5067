/* sched_* and priorities.
 *
 * How fibers are scheduled is the nucleus' business and follows from what they do (tiers, the Ratchet):
 * policies, priorities and affinities are kept and told, and change nothing.
 */
#include <asm/errno.h>
#include <linux/sched.h>
#include <nx_base.h>
#include "proc.h"
#include "ptime.h"
#include "sys.h"
#include "time_abi.h"

#define RT_PRIO_MAX 99

long sys_sched_yield(const uint64_t a[6])
{
    mb_yield();
    return 0;
}

static struct task *named(int tid)
{
    return tid ? task_find(tid) : current;
}

static bool may_change(const struct task *t)
{
    const struct cred *me = &current->cred;
    return capable(CAP_SYS_NICE) || me->euid == t->cred.euid || me->euid == t->cred.ruid;
}

/* ---- affinity ---- */

static uint64_t all_harts(void)
{
    unsigned n = mb_harts();
    return n >= 64 ? ~0ull : (1ull << n) - 1;
}

long sys_sched_getaffinity(const uint64_t a[6])
{
    uint64_t mask;
    uint32_t len = (uint32_t)a[1];
    if (len < sizeof mask || len % sizeof(uint64_t))
        return -EINVAL;
    struct task *t = (int)a[0] < 0 ? NULL : named((int)a[0]);
    if (!t)
        return -ESRCH;
    mask = t->affinity & all_harts();
    return mb_copy_out(a[2], &mask, sizeof mask) ? -EFAULT : (long)sizeof mask;
}

long sys_sched_setaffinity(const uint64_t a[6])
{
    uint64_t mask = 0;
    uint32_t len = (uint32_t)a[1];
    if (mb_copy_in(&mask, a[2], len < sizeof mask ? len : sizeof mask))
        return -EFAULT;
    struct task *t = (int)a[0] < 0 ? NULL : named((int)a[0]);
    if (!t)
        return -ESRCH;
    if (!may_change(t))
        return -EPERM;
    if (!(mask & all_harts()))
        return -EINVAL;
    t->affinity = mask;
    return 0;
}

long sys_getcpu(const uint64_t a[6])
{
    uint32_t zero = 0; /* threads wander; any answer is out of date when it arrives */
    if (a[0] && mb_copy_out(a[0], &zero, sizeof zero))
        return -EFAULT;
    return a[1] ? mb_copy_out(a[1], &zero, sizeof zero) : 0;
}

/* ---- policies ---- */

static bool is_realtime(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool is_normal(int policy)
{
    return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE;
}

static int set_policy(int tid, int policy, uint64_t uparam, bool keep)
{
    int32_t prio;
    if (!uparam || tid < 0)
        return -EINVAL;
    if (mb_copy_in(&prio, uparam, sizeof prio))
        return -EFAULT;
    struct task *t = named(tid);
    if (!t)
        return -ESRCH;
    if (keep)
        policy = t->sched_policy;
    policy &= ~SCHED_RESET_ON_FORK;
    if (!is_realtime(policy) && !is_normal(policy))
        return -EINVAL;
    if (is_realtime(policy) ? prio < 1 || prio > RT_PRIO_MAX : prio != 0)
        return -EINVAL;
    if (!may_change(t) || (is_realtime(policy) && !capable(CAP_SYS_NICE)))
        return -EPERM;
    t->sched_policy = policy;
    t->sched_prio = prio;
    return 0;
}

long sys_sched_setscheduler(const uint64_t a[6])
{
    if ((int)a[1] < 0)
        return -EINVAL;
    return set_policy((int)a[0], (int)a[1], a[2], false);
}

long sys_sched_setparam(const uint64_t a[6])
{
    return set_policy((int)a[0], 0, a[1], true);
}

long sys_sched_getscheduler(const uint64_t a[6])
{
    if ((int)a[0] < 0)
        return -EINVAL;
    const struct task *t = named((int)a[0]);
    return t ? t->sched_policy : -ESRCH;
}

long sys_sched_getparam(const uint64_t a[6])
{
    if ((int)a[0] < 0 || !a[1])
        return -EINVAL;
    const struct task *t = named((int)a[0]);
    if (!t)
        return -ESRCH;
    int32_t prio = t->sched_prio;
    return mb_copy_out(a[1], &prio, sizeof prio);
}

long sys_sched_get_priority_max(const uint64_t a[6])
{
    int policy = (int)a[0];
    return is_realtime(policy) ? RT_PRIO_MAX : is_normal(policy) ? 0 : -EINVAL;
}

long sys_sched_get_priority_min(const uint64_t a[6])
{
    int policy = (int)a[0];
    return is_realtime(policy) ? 1 : is_normal(policy) ? 0 : -EINVAL;
}

long sys_sched_rr_get_interval(const uint64_t a[6])
{
    if ((int)a[0] < 0)
        return -EINVAL;
    const struct task *t = named((int)a[0]);
    if (!t)
        return -ESRCH;
    return time_put_timespec(a[1], t->sched_policy == SCHED_FIFO ? 0 : 10000000);
}

/* ---- nice ---- */

#define NICE_MIN (-20)
#define NICE_MAX 19

static bool matches(const struct process *p, int which, int who)
{
    const struct cred *c = p->threads ? &p->threads->cred : &p->cred;
    switch (which) {
    case PRIO_PROCESS:
        return p->pid == (who ? who : current->proc->pid);
    case PRIO_PGRP:
        return p->pgid == (who ? who : current->proc->pgid);
    case PRIO_USER:
        return c->ruid == (who ? (uint32_t)who : current->cred.ruid);
    default:
        return false;
    }
}

static int set_nice(struct process *p, int nice)
{
    if (!p->threads)
        return -ESRCH;
    if (!may_change(p->threads))
        return -EPERM;
    if (nice < p->nice && (uint64_t)(20 - nice) > p->rlimit[RLIMIT_NICE][0] &&
        !capable(CAP_SYS_NICE))
        return -EACCES;
    p->nice = nice;
    return 0;
}

long sys_setpriority(const uint64_t a[6])
{
    int which = (int)a[0], who = (int)a[1], nice = (int)a[2], result = -ESRCH;
    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    nice = nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice;
    for (struct process *p = process_first(); p; p = p->next) {
        if (!matches(p, which, who))
            continue;
        int err = set_nice(p, nice);
        if (err || result == -ESRCH)
            result = err;
    }
    return result;
}

/* 20 - nice, so that the result is never negative. */
long sys_getpriority(const uint64_t a[6])
{
    int which = (int)a[0], who = (int)a[1];
    long best = -ESRCH;
    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    for (const struct process *p = process_first(); p; p = p->next)
        if (matches(p, which, who) && 20 - p->nice > best)
            best = 20 - p->nice;
    return best;
}
