/* What happens to a whole process: the end of the group, stop and continue, telling the parent.
 *
 * Stop: a thread that takes the default action of a stop signal marks the process; each thread counts
 * itself off when it comes by (task_stopped) and sleeps there; the last one tells the parent.
 */
#include <asm/errno.h>
#include <linux/wait.h>
#include "proc_int.h"
#include "ptime.h"
#include "sig.h"
#include "trace.h"

void task_give_work(struct task *t, uint32_t work)
{
    t->work |= work;
    if (t == current)
        return;
    if (t->state == 'S' && (work & (WORK_SIGNAL | WORK_EXIT)))
        t->state = 'R'; /* from now on, not from when it gets a hart */
    mb_wake(t->fiber);
}

void proc_group_exit(struct process *p, int wstatus)
{
    if (p->dying || p->zombie)
        return;
    p->dying = true;
    p->exit_status = wstatus;
    p->stop_sig = 0;
    p->stopped = false;
    for (struct task *t = p->threads; t; t = t->next_thread)
        task_give_work(t, WORK_EXIT);
}

/* ---- telling the parent ---- */

static struct ksiginfo child_info(const struct process *p, int code, int status)
{
    struct ksiginfo info = {.signo = SIGCHLD, .code = code};
    uint64_t u, s;
    process_times(p, &u, &s, NULL, NULL);
    info.u.chld.pid = p->pid;
    info.u.chld.uid = p->threads ? p->threads->cred.ruid : p->cred.ruid;
    info.u.chld.status = status;
    info.u.chld.utime = (int64_t)(u / NSEC_PER_USER_TICK);
    info.u.chld.stime = (int64_t)(s / NSEC_PER_USER_TICK);
    return info;
}

static bool parent_flag(const struct process *parent, uint64_t flag, bool *ignored)
{
    const struct task *t = parent->threads;
    if (!t)
        return false;
    const struct ksigaction *a = &t->sighand->action[SIGCHLD - 1];
    *ignored = a->handler == KSIG_IGN;
    return a->flags & flag;
}

void parent_notify(struct process *p, int code)
{
    struct process *parent = p->parent;
    if (!parent)
        return;
    bool ignored = false;
    bool quiet = parent_flag(parent, SA_NOCLDSTOP, &ignored) || ignored;
    int status = code == CLD_CONTINUED ? SIGCONT : p->stop_sig;
    if (!quiet) {
        struct ksiginfo info = child_info(p, code, status);
        sig_send(parent, NULL, SIGCHLD, &info);
    }
    wait_wake(&parent->child_wait);
}

/* True when nobody will wait for p, so that it goes at once. */
bool parent_notify_exit(struct process *p)
{
    struct process *parent = p->parent;
    if (!parent)
        return true;
    int sig = p->exit_signal;
    bool ignored = false, reap = false;
    if (sig == SIGCHLD) {
        bool nowait = parent_flag(parent, SA_NOCLDWAIT, &ignored);
        reap = ignored || nowait;
    }
    if (sig && !ignored) {
        bool killed = p->exit_status & 0x7f;
        struct ksiginfo info =
            child_info(p, killed ? CLD_KILLED : CLD_EXITED,
                       killed ? p->exit_status & 0x7f : p->exit_status >> 8 & 0xff);
        info.signo = sig;
        sig_send(parent, NULL, sig, &info);
    }
    wait_wake(&parent->child_wait);
    return reap;
}

/* ---- stop and continue ---- */

static void all_stopped(struct process *p)
{
    p->stopped = true;
    p->stop_report = p->stop_sig;
    p->cont_report = false;
    parent_notify(p, CLD_STOPPED);
}

void proc_stop(struct process *p, int sig)
{
    if (p->dying)
        return;
    if (p->stop_sig) { /* a traced thread ran on all the same */
        if (current && current->trace && current->proc == p)
            current->work |= WORK_STOP;
        return;
    }
    p->stop_sig = sig;
    p->stop_left = 0;
    for (struct task *t = p->threads; t; t = t->next_thread) {
        if (t->exiting)
            continue;
        p->stop_left++;
        task_give_work(t, WORK_STOP);
    }
}

/* One thread fewer has to stop: it has, or it ends. */
void proc_stop_counted(struct process *p)
{
    if (p->stop_sig && !p->stopped && p->stop_left && --p->stop_left == 0)
        all_stopped(p);
}

void task_stopped(struct task *t)
{
    struct process *p = t->proc;
    if (p->stop_sig && !p->dying) {
        t->state = 'T';
        t->work &= ~WORK_STOP;
        proc_stop_counted(p);
        if (t->trace)
            trace_group_stop(t);
        while (!t->trace && p->stop_sig && !p->dying && !(t->work & (WORK_EXIT | WORK_TRACE))) {
            t->state = 'T';
            mb_park(MB_NEVER);
        }
        t->state = 'R';
    }
    t->work &= ~WORK_STOP;
}

void proc_continue(struct process *p)
{
    if (!p->stop_sig)
        return;
    bool was_stopped = p->stopped;
    p->stop_sig = 0;
    p->stopped = false;
    p->stop_report = 0;
    for (struct task *t = p->threads; t; t = t->next_thread) {
        t->work &= ~WORK_STOP;
        sig_recalc(t); /* what was sent while it was stopped */
        mb_wake(t->fiber);
    }
    trace_continued(p);
    if (was_stopped) {
        p->cont_report = true;
        parent_notify(p, CLD_CONTINUED);
    }
}
