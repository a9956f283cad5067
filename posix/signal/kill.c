/* kill and its kin: sending to processes, groups and threads, with permissions. */
#include <asm/errno.h>
#include <limits.h>
#include "signal_int.h"
#include "sys.h"

bool sig_permitted(const struct process *p, int sig)
{
    const struct task *t = current;
    const struct cred *me = &t->cred, *it = process_cred(p);
    if (t->proc == p || cred_has(me, CAP_KILL))
        return true;
    if (me->euid == it->suid || me->euid == it->ruid || me->ruid == it->suid ||
        me->ruid == it->ruid)
        return true;
    return sig == SIGCONT && t->proc->session == p->session;
}

int sig_send_checked(struct process *p, struct task *t, int sig, const struct ksiginfo *info)
{
    if (sig < 0 || sig > SIG_COUNT)
        return -EINVAL;
    if (!sig_permitted(p, sig))
        return -EPERM;
    return sig ? sig_send(p, t, sig, info) : 0;
}

/* The number of any thread of it will do. */
static int send_number(int nr, int sig, const struct ksiginfo *info)
{
    struct process *p = process_find(nr);
    const struct task *t = p ? NULL : task_find(nr);
    if (t)
        p = t->proc;
    return p ? sig_send_checked(p, NULL, sig, info) : -ESRCH;
}

static int send_group(int pgid, int sig, const struct ksiginfo *info)
{
    struct pid *g = pid_find(pgid);
    int result = -ESRCH;
    for (struct process *p = g ? g->members : NULL, *next; p; p = next) {
        next = p->pgrp_next;
        int err = sig_send_checked(p, NULL, sig, info);
        if (result != 0) /* one success is success */
            result = err;
    }
    return result;
}

/* Everybody but pid 1 and the caller. */
static int send_all(int sig, const struct ksiginfo *info)
{
    int result = -ESRCH;
    for (struct process *p = process_first(), *next; p; p = next) {
        next = p->next;
        if (p == process_init() || p == current->proc)
            continue;
        int err = sig_send_checked(p, NULL, sig, info);
        if (err != -EPERM)
            result = err;
    }
    return result;
}

long sys_kill(const uint64_t a[6])
{
    int pid = (int)a[0], sig = (int)a[1];
    struct ksiginfo info = sig_info_user(sig, SI_USER);
    if (pid > 0)
        return send_number(pid, sig, &info);
    if (pid == -1)
        return send_all(sig, &info);
    if (pid == INT_MIN)
        return -ESRCH;
    return send_group(pid == 0 ? current->proc->pgid : -pid, sig, &info);
}

static int send_thread(int tgid, int tid, int sig, const struct ksiginfo *info)
{
    struct task *t = task_find(tid);
    if (!t || (tgid > 0 && t->proc->pid != tgid))
        return -ESRCH;
    return sig_send_checked(t->proc, t, sig, info);
}

long sys_tkill(const uint64_t a[6])
{
    int tid = (int)a[0], sig = (int)a[1];
    if (tid <= 0)
        return -EINVAL;
    struct ksiginfo info = sig_info_user(sig, SI_TKILL);
    return send_thread(0, tid, sig, &info);
}

long sys_tgkill(const uint64_t a[6])
{
    int tgid = (int)a[0], tid = (int)a[1], sig = (int)a[2];
    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    struct ksiginfo info = sig_info_user(sig, SI_TKILL);
    return send_thread(tgid, tid, sig, &info);
}

/* Programs may not pretend to be the kernel or kill() to others. */
static bool pretends(const struct ksiginfo *info)
{
    return info->code >= 0 || info->code == SI_TKILL;
}

long sys_rt_sigqueueinfo(const uint64_t a[6])
{
    int tgid = (int)a[0], sig = (int)a[1];
    struct ksiginfo info;
    int err = sig_info_in(&info, a[2], sig);
    if (err)
        return err;
    if (pretends(&info) && tgid != current->tid)
        return -EPERM;
    return send_number(tgid, sig, &info);
}

long sys_rt_tgsigqueueinfo(const uint64_t a[6])
{
    int tgid = (int)a[0], tid = (int)a[1], sig = (int)a[2];
    struct ksiginfo info;
    int err = sig_info_in(&info, a[3], sig);
    if (err)
        return err;
    if (tgid <= 0 || tid <= 0)
        return -EINVAL;
    if (pretends(&info) && tid != current->tid)
        return -EPERM;
    return send_thread(tgid, tid, sig, &info);
}
