/* sched_* and priorities.
 *
 * How fibers are scheduled is the nucleus' business and follows from what they do (tiers, the Ratchet):
 * policies, priorities and affinities are kept and told, and change nothing.
 */
#include <asm/errno.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <nx_base.h>
#include <string.h>
#include "proc.h"
#include "ptime.h"
#include "sys.h"
#include "time_abi.h"

#define RT_PRIO_MAX 99
#define NICE_MIN (-20)
#define NICE_MAX 19

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
    uint32_t zero = 0, hart = mb_hart(); /* out of date when it arrives: threads wander */
    if (a[0] && mb_copy_out(a[0], &hart, sizeof hart))
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

/* Without privilege: what RLIMIT_RTPRIO allows, or less than there is; and no way back. */
static bool may_have(const struct task *t, int policy, int prio, bool reset)
{
    if (capable(CAP_SYS_NICE))
        return true;
    if (!may_change(t) || (t->sched_reset && !reset))
        return false;
    if (!is_realtime(policy))
        return true;
    uint64_t limit = t->proc->rlimit[RLIMIT_RTPRIO][0];
    bool same = policy == t->sched_policy && prio <= t->sched_prio;
    return same || (limit && (uint64_t)prio <= limit);
}

static int change_policy(struct task *t, int policy, int prio, bool reset)
{
    if (!is_realtime(policy) && !is_normal(policy))
        return -EINVAL;
    if (is_realtime(policy) ? prio < 1 || prio > RT_PRIO_MAX : prio != 0)
        return -EINVAL;
    if (!may_have(t, policy, prio, reset))
        return -EPERM;
    t->sched_policy = policy;
    t->sched_prio = prio;
    t->sched_reset = reset;
    return 0;
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
    bool reset = keep ? t->sched_reset : policy & SCHED_RESET_ON_FORK;
    policy = keep ? t->sched_policy : policy & ~SCHED_RESET_ON_FORK;
    return change_policy(t, policy, prio, reset);
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
    return t ? t->sched_policy | (t->sched_reset ? SCHED_RESET_ON_FORK : 0) : -ESRCH;
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
    return is_realtime(policy)                             ? RT_PRIO_MAX
           : is_normal(policy) || policy == SCHED_DEADLINE ? 0
                                                           : -EINVAL;
}

long sys_sched_get_priority_min(const uint64_t a[6])
{
    int policy = (int)a[0];
    return is_realtime(policy) ? 1 : is_normal(policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
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

static bool matches(const struct process *p, int which, int who)
{
    const struct cred *c = p->threads ? &p->threads->cred : &p->cred;
    switch (which) {
    case PRIO_PROCESS: {
        const struct task *t = who ? task_find(who) : current; /* any thread's number will do */
        return t ? t->proc == p : p->pid == who;
    }
    case PRIO_PGRP:
        return p->pgid == (who ? who : current->proc->pgid);
    case PRIO_USER:
        return c->ruid == (who ? (uint32_t)who : current->cred.ruid);
    default:
        return false;
    }
}

/* Down to 20 - RLIMIT_NICE for everybody. */
static bool may_be_nicer(const struct process *p, int nice)
{
    return nice >= p->nice || capable(CAP_SYS_NICE) ||
           (uint64_t)(20 - nice) <= p->rlimit[RLIMIT_NICE][0];
}

static int set_nice(struct process *p, int nice)
{
    if (!p->threads)
        return -ESRCH;
    if (!may_change(p->threads))
        return -EPERM;
    if (!may_be_nicer(p, nice))
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

/* ---- sched_setattr, sched_getattr ---- */

#define ATTR_SIZE_FIRST 48u /* of the first version */
#define ATTR_FLAGS (SCHED_FLAG_RESET_ON_FORK | SCHED_FLAG_KEEP_POLICY | SCHED_FLAG_KEEP_PARAMS)

static int get_attr(uint64_t uattr, struct sched_attr *attr)
{
    uint32_t size, known = sizeof *attr;
    if (mb_copy_in(&size, uattr, sizeof size))
        return -EFAULT;
    size = size ? size : ATTR_SIZE_FIRST;
    if (size < ATTR_SIZE_FIRST || size > MB_PAGE) /* it is told what would do */
        return mb_copy_out(uattr, &known, sizeof known) ? -EFAULT : -E2BIG;
    memset(attr, 0, sizeof *attr);
    if (mb_copy_in(attr, uattr, size < known ? size : known))
        return -EFAULT;
    for (uint32_t i = known; i < size; i++) {
        uint8_t b;
        if (mb_copy_in(&b, uattr + i, 1))
            return -EFAULT;
        if (b)
            return mb_copy_out(uattr, &known, sizeof known) ? -EFAULT : -E2BIG;
    }
    int nice = attr->sched_nice;
    attr->sched_nice = nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice;
    return 0;
}

long sys_sched_setattr(const uint64_t a[6])
{
    struct sched_attr attr;
    if (!a[1] || (int)a[0] < 0 || (unsigned)a[2])
        return -EINVAL;
    int err = get_attr(a[1], &attr);
    if (err)
        return err;
    if ((int32_t)attr.sched_policy < 0)
        return -EINVAL;
    struct task *t = named((int)a[0]);
    if (!t)
        return -ESRCH;
    if (attr.sched_flags & (SCHED_FLAG_UTIL_CLAMP_MIN | SCHED_FLAG_UTIL_CLAMP_MAX))
        return -EOPNOTSUPP;
    if (attr.sched_flags & ~(uint64_t)ATTR_FLAGS)
        return -EINVAL;
    int policy = (int)attr.sched_policy, prio = (int)attr.sched_priority;
    bool keep = attr.sched_flags & SCHED_FLAG_KEEP_PARAMS;
    if (attr.sched_flags & SCHED_FLAG_KEEP_POLICY)
        policy = t->sched_policy;
    if (keep)
        prio = t->sched_prio;
    if (is_normal(policy) && !keep && !may_be_nicer(t->proc, attr.sched_nice))
        return -EPERM;
    err = change_policy(t, policy, prio, attr.sched_flags & SCHED_FLAG_RESET_ON_FORK);
    if (!err && is_normal(policy) && !keep)
        t->proc->nice = attr.sched_nice;
    return err;
}

long sys_sched_getattr(const uint64_t a[6])
{
    uint32_t size = (uint32_t)a[2];
    struct sched_attr attr = {0};
    if (!a[1] || (int)a[0] < 0 || size < ATTR_SIZE_FIRST || size > MB_PAGE || (unsigned)a[3])
        return -EINVAL;
    const struct task *t = named((int)a[0]);
    if (!t)
        return -ESRCH;
    attr.size = size < sizeof attr ? size : (uint32_t)sizeof attr;
    attr.sched_policy = (uint32_t)t->sched_policy;
    attr.sched_flags = t->sched_reset ? SCHED_FLAG_RESET_ON_FORK : 0;
    if (is_realtime(t->sched_policy))
        attr.sched_priority = (uint32_t)t->sched_prio;
    else
        attr.sched_nice = t->proc->nice;
    return mb_copy_out(a[1], &attr, attr.size);
}
