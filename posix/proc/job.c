/* Process group and session calls: setpgid, getpgid, setsid, getsid, getppid. */
#include <asm/errno.h>
#include "proc.h"
#include "sys.h"
#include "tty/tty.h"

long sys_getppid(const uint64_t a[6])
{
    const struct process *parent = current->proc->parent;
    return parent ? parent->pid : 0;
}

/* pid 0 is the caller; threads' numbers are none. */
static struct process *named(int pid)
{
    return pid ? process_find(pid) : current->proc;
}

long sys_getpgid(const uint64_t a[6])
{
    const struct process *p = named((int)a[0]);
    return p ? p->pgid : -ESRCH;
}

long sys_getsid(const uint64_t a[6])
{
    const struct process *p = named((int)a[0]);
    return p ? p->session->sid : -ESRCH;
}

static bool in_session(const struct pid *pgrp, const struct session *s)
{
    for (const struct process *p = pgrp->members; p; p = p->pgrp_next)
        if (p->session == s)
            return true;
    return false;
}

long sys_setpgid(const uint64_t a[6])
{
    int pid = (int)a[0], pgid = (int)a[1];
    struct process *me = current->proc;
    if (pgid < 0)
        return -EINVAL;
    struct process *p = named(pid);
    if (!p || p->zombie)
        return -ESRCH;
    if (p != me) {
        if (p->parent != me)
            return -ESRCH;
        if (p->session != me->session)
            return -EPERM;
        if (p->execed)
            return -EACCES;
    }
    if (p->session->sid == p->pid)
        return -EPERM;
    struct pid *to = pid_find(pgid ? pgid : p->pid);
    if (!to || (to != p->pid_ref && !in_session(to, me->session)))
        return -EPERM;
    if (to == p->pgrp)
        return 0;
    pgrp_leave(p);
    pgrp_join(p, to);
    return 0;
}

long sys_setsid(const uint64_t a[6])
{
    struct process *p = current->proc;
    if (p->session->sid == p->pid || p->pid_ref->members)
        return -EPERM;
    struct session *s = session_make(p->pid_ref);
    if (!s)
        return -ENOMEM;
    session_unref(p->session);
    p->session = s;
    pgrp_leave(p);
    pgrp_join(p, p->pid_ref);
    return p->pid;
}
