/* Sending a signal: who gets it, and what it does at once.
 *
 *   sig_send -> prepare (stop and continue cancel each other; ignored ones end here)
 *            -> queue of the thread or process -> choose a thread, mark and wake it
 * A signal that will end the process does so here: every thread is told to exit, so that nothing the
 * process does can hold it up.
 */
#include <asm/errno.h>
#include "signal_int.h"
#include "time_abi.h"
#include "trace.h"

bool sig_default_is_ignore(int sig)
{
    return SIG_BIT(sig) & SIGSET_IGNORE;
}

bool sig_default_is_stop(int sig)
{
    return SIG_BIT(sig) & SIGSET_STOP;
}

static const struct ksigaction *action_of(const struct task *t, int sig)
{
    return &t->sighand->action[sig - 1];
}

static bool is_init(const struct process *p)
{
    return p == process_init();
}

bool sig_is_ignored(const struct process *p, const struct task *t, int sig)
{
    if ((t->sigmask | t->waited_mask) & SIG_BIT(sig))
        return false; /* blocked: it waits, the action may have changed when it is unblocked */
    if (t->trace && sig != SIGKILL)
        return false; /* its tracer decides */
    uint64_t handler = action_of(t, sig)->handler;
    if (is_init(p) && handler == KSIG_DFL)
        return true;
    return handler == KSIG_IGN || (handler == KSIG_DFL && sig_default_is_ignore(sig));
}

bool sig_ignored_or_blocked(const struct task *t, int sig)
{
    return (t->sigmask & SIG_BIT(sig)) || action_of(t, sig)->handler == KSIG_IGN;
}

/* ---- choosing a thread ---- */

static bool wants(const struct task *t, int sig)
{
    if (t->exiting || (t->sigmask & SIG_BIT(sig)))
        return false;
    return sig == SIGKILL || !t->proc->stopped || t->trace;
}

static bool is_fatal(const struct process *p, const struct task *t, int sig)
{
    if ((is_init(p) || t->trace) && sig != SIGKILL)
        return false;
    return action_of(t, sig)->handler == KSIG_DFL && !sig_default_is_ignore(sig) &&
           !sig_default_is_stop(sig) && !(t->waited_mask & SIG_BIT(sig));
}

static void notify(struct process *p, struct task *t, int sig)
{
    struct task *to = NULL;
    if (t) {
        if (wants(t, sig))
            to = t;
    } else {
        /* One that has nothing to do yet, else any: it comes back for more. */
        for (struct task *i = p->threads; i; i = i->next_thread) {
            if (!wants(i, sig))
                continue;
            if (!to || ((to->work & WORK_SIGNAL) && !(i->work & WORK_SIGNAL)))
                to = i;
        }
    }
    wait_wake(&p->signal_wait);
    if (!to)
        return;
    if (is_fatal(p, to, sig)) {
        proc_group_exit(p, sig);
        return;
    }
    task_give_work(to, WORK_SIGNAL);
}

/* ---- sending ---- */

static void prepare(struct process *p, int sig)
{
    if (sig == SIGCONT) {
        sig_drop_everywhere(p, SIGSET_STOP);
        proc_continue(p);
    } else if (sig_default_is_stop(sig)) {
        sig_drop_everywhere(p, SIG_BIT(SIGCONT));
    }
}

/* Does it matter to p at all? */
static bool arrives(struct process *p, const struct task *t, int sig)
{
    if (p->zombie || p->dying || !p->threads)
        return false;
    prepare(p, sig);
    return !sig_is_ignored(p, t ? t : p->threads, sig);
}

void sig_send_held(struct process *p, struct task *t, struct signode *n)
{
    if (!arrives(p, t, n->info.signo))
        return;
    if (t)
        sigq_add_held(&t->sigpending, &t->sigqueue, n);
    else
        sigq_add_held(&p->sigpending, &p->sigqueue, n);
    notify(p, t, n->info.signo);
}

int sig_send(struct process *p, struct task *t, int sig, const struct ksiginfo *info)
{
    if (sig == SIGKILL)
        trace_killed(p);
    if (!arrives(p, t, sig))
        return 0;
    struct task *asked = t ? t : p->threads;
    struct ksiginfo kernel = {.signo = sig, .code = SI_KERNEL};
    if (!info)
        info = &kernel;
    uint64_t limit = p->rlimit[RLIMIT_SIGPENDING][0];
    int err = t ? sigq_add(&t->sigpending, &t->sigqueue, t->user, limit, sig, info)
                : sigq_add(&p->sigpending, &p->sigqueue, asked->user, limit, sig, info);
    if (err)
        return err;
    notify(p, t, sig);
    return 0;
}

int signal_process(struct process *p, int sig)
{
    return sig_send(p, NULL, sig, NULL);
}

int signal_pgrp(int pgid, int sig)
{
    struct pid *g = pid_find(pgid);
    if (!g || !g->members)
        return -ESRCH;
    for (struct process *p = g->members, *next; p; p = next) {
        next = p->pgrp_next;
        sig_send(p, NULL, sig, NULL);
    }
    return 0;
}

void signal_self(int sig)
{
    struct task *t = current;
    struct ksiginfo info = sig_info_user(sig, SI_USER);
    if (t)
        sig_send(t->proc, t, sig, &info);
}

/* ---- faults ---- */

/* Neither blocking nor ignoring helps against these: that would be an endless loop. */
static void force(const struct ksiginfo *info)
{
    struct task *t = current;
    int sig = info->signo;
    struct ksigaction *act = &t->sighand->action[sig - 1];
    bool blocked = t->sigmask & SIG_BIT(sig);
    if (blocked || act->handler == KSIG_IGN)
        act->handler = KSIG_DFL;
    if (blocked)
        t->sigmask &= ~SIG_BIT(sig);
    if (act->handler == KSIG_DFL && !t->trace) { /* pid 1 too */
        proc_group_exit(t->proc, sig);
        return;
    }
    sigq_add(&t->sigpending, &t->sigqueue, t->user, RLIM_INFINITY, sig, info);
    t->work |= WORK_SIGNAL;
}

void sig_force_fault(int sig, int code, uint64_t addr)
{
    struct ksiginfo info = {.signo = sig, .code = code, .u.fault.addr = addr};
    force(&info);
}

void sig_force(int sig)
{
    struct ksiginfo info = {.signo = sig, .code = SI_KERNEL};
    force(&info);
}
