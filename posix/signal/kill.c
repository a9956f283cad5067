/* kill and its kin: sending to processes, groups and threads, with permissions. */
#include <asm/errno.h>
#include <limits.h>
#include "signal_int.h"
#include "sys.h"

struct ksiginfo sig_info_user(int sig, int code)
{
    const struct task *t = current;
    struct ksiginfo info = {.signo = sig, .code = code};
    if (t) {
        info.u.rt.pid = t->proc->pid;
        info.u.rt.uid = t->cred.ruid;
    }
    return info;
}

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

static bool valid(int sig)
{
    return sig >= 0 && sig <= SIG_COUNT;
}

/* sig 0 only asks. */
static int send_one(struct process *p, int sig, const struct ksiginfo *info)
{
    if (!sig_permitted(p, sig))
        return -EPERM;
    return sig ? sig_send(p, NULL, sig, info) : 0;
}

static int send_group(int pgid, int sig, const struct ksiginfo *info)
{
    struct pid *g = pid_find(pgid);
    int result = -ESRCH;
    for (struct process *p = g ? g->members : NULL, *next; p; p = next) {
        next = p->pgrp_next;
        int err = send_one(p, sig, info);
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
        int err = send_one(p, sig, info);
        if (err != -EPERM)
            result = err;
    }
    return result;
}

long sys_kill(const uint64_t a[6])
{
    int pid = (int)a[0], sig = (int)a[1];
    if (!valid(sig))
        return -EINVAL;
    struct ksiginfo info = sig_info_user(sig, SI_USER);
    if (pid > 0) {
        struct process *p = process_find(pid);
        if (!p) { /* the number of any thread will do */
            struct task *t = task_find(pid);
            p = t ? t->proc : NULL;
        }
        return p ? send_one(p, sig, &info) : -ESRCH;
    }
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
    if (!sig_permitted(t->proc, sig))
        return -EPERM;
    return sig ? sig_send(t->proc, t, sig, info) : 0;
}

long sys_tkill(const uint64_t a[6])
{
    int tid = (int)a[0], sig = (int)a[1];
    if (tid <= 0 || !valid(sig))
        return -EINVAL;
    struct ksiginfo info = sig_info_user(sig, SI_TKILL);
    return send_thread(0, tid, sig, &info);
}

long sys_tgkill(const uint64_t a[6])
{
    int tgid = (int)a[0], tid = (int)a[1], sig = (int)a[2];
    if (tgid <= 0 || tid <= 0 || !valid(sig))
        return -EINVAL;
    struct ksiginfo info = sig_info_user(sig, SI_TKILL);
    return send_thread(tgid, tid, sig, &info);
}

/* Programs may not pretend to be the kernel or kill() to others. */
static int get_info(uint64_t uinfo, int sig, int tgid, struct ksiginfo *info)
{
    if (mb_copy_in(info, uinfo, sizeof *info))
        return -EFAULT;
    info->signo = sig;
    if ((info->code >= 0 || info->code == SI_TKILL) && tgid != current->proc->pid)
        return -EPERM;
    return 0;
}

long sys_rt_sigqueueinfo(const uint64_t a[6])
{
    int tgid = (int)a[0], sig = (int)a[1];
    struct ksiginfo info;
    int err = get_info(a[2], sig, tgid, &info);
    if (err)
        return err;
    if (!valid(sig))
        return -EINVAL;
    struct process *p = process_find(tgid);
    return p ? send_one(p, sig, &info) : -ESRCH;
}

long sys_rt_tgsigqueueinfo(const uint64_t a[6])
{
    int tgid = (int)a[0], tid = (int)a[1], sig = (int)a[2];
    struct ksiginfo info;
    int err = get_info(a[3], sig, tgid, &info);
    if (err != -EFAULT && (tgid <= 0 || tid <= 0))
        return -EINVAL;
    if (err)
        return err;
    if (!valid(sig))
        return -EINVAL;
    return send_thread(tgid, tid, sig, &info);
}
