/* Resource limits.  They are kept per process; who enforces them reads rlimit_soft(). */
#include <asm/errno.h>
#include "proc.h"
#include "proc_int.h"
#include "sys.h"
#include "time_abi.h"

#define LIMITS 16
#define NOFILE_MAX (1u << 20) /* fs.nr_open */

void rlimit_defaults(struct process *p)
{
    for (unsigned i = 0; i < LIMITS; i++)
        p->rlimit[i][0] = p->rlimit[i][1] = RLIM_INFINITY;
    uint64_t tasks = mb_pages_total() / 32;
    p->rlimit[RLIMIT_STACK][0] = 8ul << 20;
    p->rlimit[RLIMIT_CORE][0] = 0;
    p->rlimit[RLIMIT_NOFILE][0] = 1024;
    p->rlimit[RLIMIT_NOFILE][1] = 4096;
    p->rlimit[RLIMIT_NPROC][0] = p->rlimit[RLIMIT_NPROC][1] = tasks / 2;
    p->rlimit[RLIMIT_SIGPENDING][0] = p->rlimit[RLIMIT_SIGPENDING][1] = tasks / 2;
    p->rlimit[RLIMIT_MEMLOCK][0] = p->rlimit[RLIMIT_MEMLOCK][1] = 8ul << 20;
    p->rlimit[RLIMIT_MSGQUEUE][0] = p->rlimit[RLIMIT_MSGQUEUE][1] = 819200;
    p->rlimit[RLIMIT_NICE][0] = p->rlimit[RLIMIT_NICE][1] = 0;
    p->rlimit[RLIMIT_RTPRIO][0] = p->rlimit[RLIMIT_RTPRIO][1] = 0;
}

uint64_t rlimit_soft(unsigned what)
{
    const struct task *t = current;
    return t ? t->proc->rlimit[what][0] : RLIM_INFINITY;
}

static int check(const uint64_t *old, unsigned what, const uint64_t new[2])
{
    if (new[0] > new[1])
        return -EINVAL;
    if (what == RLIMIT_NOFILE && new[1] > NOFILE_MAX)
        return -EPERM;
    return new[1] > old[1] && !capable(CAP_SYS_RESOURCE) ? -EPERM : 0;
}

/* new NULL: only told. */
static int get_and_set(struct process *p, unsigned what, const uint64_t new[2], uint64_t uold)
{
    uint64_t old[2];
    if (what >= LIMITS)
        return -EINVAL;
    uint64_t *limit = p->rlimit[what];
    old[0] = limit[0];
    old[1] = limit[1];
    if (new) {
        int err = check(limit, what, new);
        if (err)
            return err;
        limit[0] = new[0];
        limit[1] = new[1];
        p->cpu_watched |= what == RLIMIT_CPU;
    }
    return uold ? mb_copy_out(uold, old, sizeof old) : 0;
}

static bool may_change(const struct process *p)
{
    const struct cred *me = &current->cred, *it = process_cred(p);
    if (p == current->proc || capable(CAP_SYS_RESOURCE))
        return true;
    return me->ruid == it->euid && me->ruid == it->suid && me->ruid == it->ruid &&
           me->rgid == it->egid && me->rgid == it->sgid && me->rgid == it->rgid;
}

long sys_prlimit64(const uint64_t a[6])
{
    int pid = (int)a[0];
    struct process *p = current->proc;
    uint64_t new[2];
    if (a[2] && mb_copy_in(new, a[2], sizeof new))
        return -EFAULT;
    if (pid) {
        struct task *t = task_find(pid);
        if (!t)
            return -ESRCH;
        p = t->proc;
    }
    if (!may_change(p))
        return -EPERM;
    return get_and_set(p, (uint32_t)a[1], a[2] ? new : NULL, a[3]);
}

long sys_getrlimit(const uint64_t a[6])
{
    if (!a[1])
        return (uint32_t)a[0] < LIMITS ? -EFAULT : -EINVAL;
    return get_and_set(current->proc, (uint32_t)a[0], NULL, a[1]);
}

long sys_setrlimit(const uint64_t a[6])
{
    uint64_t new[2];
    if (mb_copy_in(new, a[1], sizeof new))
        return -EFAULT;
    return get_and_set(current->proc, (uint32_t)a[0], new, 0);
}
