/* ioprio_set, ioprio_get: kept and told, and nothing else: no driver asks.
 */
#include <asm/errno.h>
#include <linux/ioprio.h>
#include "misc/ioprio.h"
#include "proc.h"
#include "sys.h"

#define WHO_PROCESS 1
#define WHO_PGRP 2
#define WHO_USER 3
#define CLASS(p) ((p) >> 13)
#define DATA(p) ((p)&0x1fffu)
enum { CLASS_NONE, CLASS_RT, CLASS_BE, CLASS_IDLE };
#define LEVELS 8u

int ioprio_check(unsigned prio)
{
    switch (CLASS(prio)) {
    case CLASS_RT:
        if (!capable(CAP_SYS_ADMIN) && !capable(CAP_SYS_NICE))
            return -EPERM;
        return DATA(prio) < LEVELS ? 0 : -EINVAL;
    case CLASS_BE:
        return DATA(prio) < LEVELS ? 0 : -EINVAL;
    case CLASS_IDLE:
        return 0;
    case CLASS_NONE:
        return DATA(prio) == 0 ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

/* What counts: without one of its own, best effort by the nice value. */
static unsigned effective(const struct task *t)
{
    if (CLASS(t->ioprio) != CLASS_NONE)
        return t->ioprio;
    return CLASS_BE << 13 | (unsigned)(t->proc->nice + 20) / 5;
}

static bool matches(const struct task *t, int which, int who)
{
    if (which == WHO_PGRP)
        return t->proc->pgid == (who ? who : current->proc->pgid);
    return t->cred.ruid == (who ? (uint32_t)who : current->cred.ruid);
}

/* The next thread after t (NULL: the first) that is meant. */
static struct task *next_of(struct task *t, int which, int who)
{
    if (which == WHO_PROCESS)
        return t ? NULL : who ? task_find(who) : current;
    struct process *p = t ? t->proc : process_first();
    t = t ? t->next_thread : p ? p->threads : NULL;
    for (;;) {
        for (; t; t = t->next_thread)
            if (matches(t, which, who))
                return t;
        p = p ? p->next : NULL;
        if (!p)
            return NULL;
        t = p->threads;
    }
}

static bool may_set(const struct task *t)
{
    const struct cred *me = &current->cred;
    return capable(CAP_SYS_NICE) || me->euid == t->cred.ruid || me->ruid == t->cred.ruid;
}

long sys_ioprio_set(const uint64_t a[6])
{
    int which = (int)a[0], who = (int)a[1];
    unsigned prio = (unsigned)a[2];
    int result = ioprio_check(prio);
    if (result)
        return result;
    if (which < WHO_PROCESS || which > WHO_USER)
        return -EINVAL;
    result = -ESRCH;
    for (struct task *t = next_of(NULL, which, who); t; t = next_of(t, which, who)) {
        if (!may_set(t))
            return -EPERM;
        t->ioprio = (uint16_t)prio;
        result = 0;
    }
    return result;
}

/* The lower number is the better one. */
long sys_ioprio_get(const uint64_t a[6])
{
    int which = (int)a[0], who = (int)a[1];
    long best = -ESRCH;
    if (which < WHO_PROCESS || which > WHO_USER)
        return -EINVAL;
    if (which == WHO_PROCESS) { /* as it was set */
        const struct task *t = next_of(NULL, which, who);
        return t ? t->ioprio : -ESRCH;
    }
    for (struct task *t = next_of(NULL, which, who); t; t = next_of(t, which, who)) {
        long prio = effective(t);
        best = best < 0 || prio < best ? prio : best;
    }
    return best;
}
