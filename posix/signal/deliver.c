/* What the main loop does about pending signals: handler, stop, end, or nothing; and what becomes of
 * the system call that a signal interrupted.
 */
#include <asm/errno.h>
#include "signal_int.h"
#include "thread/thread.h"
#include "trace.h"

#define NR_RESTART_SYSCALL 128
#define ECALL_SIZE 4

static bool wants_restart(long result)
{
    return result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
           result == -ERESTART_BLOCK;
}

static void again(struct task *t)
{
    struct nx_state *s = current_state;
    s->reg[10] = t->orig_a0;
    s->reg[0] -= ECALL_SIZE;
}

/* A handler will run: the call fails with EINTR after it, or is made once more. */
static void restart_with_handler(struct task *t, long result, uint64_t sa_flags)
{
    if (result == -ERESTARTNOINTR || (result == -ERESTARTSYS && (sa_flags & SA_RESTART)))
        again(t);
    else
        current_state->reg[10] = (uint64_t)-EINTR;
}

/* No handler: the program does not notice. */
static void restart_quietly(struct task *t, long result)
{
    again(t);
    if (result == -ERESTART_BLOCK)
        current_state->reg[17] = NR_RESTART_SYSCALL;
}

static void run_handler(struct task *t, struct ksigaction *entry, const struct ksiginfo *info)
{
    struct ksigaction act = *entry;
    int sig = info->signo;
    if (act.flags & (uint32_t)SA_RESETHAND)
        entry->handler = KSIG_DFL;
    if (t->rseq)
        rseq_interrupt(t);
    if (sig_frame_push(t, &act, info)) {
        if (sig == SIGSEGV)
            entry->handler = KSIG_DFL;
        sig_force(SIGSEGV);
        return;
    }
    t->mask_saved = false;
    t->work &= ~WORK_MASK;
    uint64_t mask = t->sigmask | act.mask;
    if (!(act.flags & SA_NODEFER))
        mask |= SIG_BIT(sig);
    sig_set_mask(t, mask);
}

static void default_action(struct task *t, int sig)
{
    struct process *p = t->proc;
    if (sig_default_is_ignore(sig) || p == process_init())
        return;
    if (sig_default_is_stop(sig)) {
        if (sig == SIGSTOP || !pgrp_orphaned(p->pgrp, NULL))
            proc_stop(p, sig);
        return;
    }
    proc_group_exit(p, sig);
}

void signal_work(struct task *t, long result)
{
    if (!wants_restart(result))
        result = 0;
    for (;;) {
        if (t->work & WORK_EXIT)
            return;
        if (t->work & WORK_STOP) {
            task_stopped(t);
            continue;
        }
        if (t->work & WORK_TRACE) {
            trace_trap(t);
            continue;
        }
        struct ksiginfo info;
        int sig = sig_dequeue(t, ~t->sigmask, &info);
        if (!sig)
            break;
        if (t->trace && sig != SIGKILL) {
            sig = trace_signal(t, sig, &info);
            if (!sig)
                continue;
        }
        struct ksigaction *act = &t->sighand->action[sig - 1];
        if (act->handler == KSIG_IGN)
            continue;
        if (act->handler == KSIG_DFL) {
            default_action(t, sig);
            continue;
        }
        if (result)
            restart_with_handler(t, result, act->flags);
        result = 0;
        run_handler(t, act, &info);
    }
    if (result)
        restart_quietly(t, result);
    if (t->mask_saved) {
        t->mask_saved = false;
        t->work &= ~WORK_MASK;
        sig_set_mask(t, t->saved_mask);
    }
    sig_recalc(t);
}
