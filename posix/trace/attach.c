/* Who traces whom: attaching, detaching, and what ends of either side mean. */
#include <asm/errno.h>
#include <linux/sched.h>
#include "proc/proc_int.h"
#include "trace/trace_int.h"

int trace_may_access(const struct task *t)
{
    return task_may_look(t, false) ? 0 : -EPERM;
}

static void link_to(struct trace *r, struct task *tracer)
{
    r->tracer = tracer;
    r->next = tracer->tracees;
    r->link = &tracer->tracees;
    if (r->next)
        r->next->link = &r->next;
    tracer->tracees = r;
}

struct trace *trace_begin(struct task *t, struct task *tracer)
{
    struct trace *r = mb_zalloc(sizeof *r);
    if (!r)
        return NULL;
    r->task = t;
    r->proc = t->proc;
    r->pid = t->pid;
    pid_ref(r->pid);
    r->gains = capable(CAP_SYS_PTRACE); /* with PTRACE_TRACEME the traced one, as on Linux */
    t->trace = r;
    link_to(r, tracer);
    return r;
}

void trace_forget(struct trace *r)
{
    *r->link = r->next;
    if (r->next)
        r->next->link = r->link;
    if (r->task)
        r->task->trace = NULL;
    if (r->proc && r->proc->trace == r)
        r->proc->trace = NULL;
    pid_unref(r->pid);
    mb_free(r);
}

void trace_resume(struct trace *r, int sig)
{
    struct task *t = r->task;
    t->trace_signal = sig;
    r->stop = TRACE_RUNS;
    r->listening = false;
    mb_wake(t->fiber);
}

void trace_end(struct trace *r, int sig)
{
    struct task *t = r->task;
    if (r->stop)
        trace_resume(r, sig);
    t->work &= ~WORK_TRACE;
    if (t->proc->stopped) /* back to where the others are */
        t->work |= WORK_STOP;
    trace_forget(r);
}

void trace_child(struct task *t, struct task *child, unsigned event, uint64_t clone_flags)
{
    struct trace *mine = t->trace;
    if (!mine || (clone_flags & CLONE_UNTRACED))
        return;
    bool wanted = event && (mine->options & (1u << event));
    if (!wanted && !(clone_flags & CLONE_PTRACE))
        return;
    struct trace *r = trace_begin(child, mine->tracer);
    if (!r)
        return; /* it runs untraced: better than a fork that fails behind its point of no return */
    r->options = mine->options;
    r->gains = mine->gains;
    r->seized = mine->seized;
    if (r->seized) {
        r->trap = true;
        task_give_work(child, WORK_TRACE);
    } else {
        struct ksiginfo stop = {.signo = SIGSTOP, .code = SI_USER};
        sig_send(child->proc, child, SIGSTOP, &stop);
    }
}

void trace_renamed(struct task *t)
{
    struct trace *r = t->trace;
    if (t->proc->trace) /* the old first thread's, whose end is not told */
        trace_forget(t->proc->trace);
    if (!r)
        return;
    pid_ref(t->pid);
    pid_unref(r->pid);
    r->pid = t->pid;
}

/* ---- ends ---- */

static void tracer_ends(struct task *t)
{
    struct trace *r;
    while ((r = t->tracees)) {
        if (r->ended) {
            trace_reaped(r);
        } else if (!r->task) {
            trace_forget(r);
        } else {
            struct process *p = r->proc;
            bool kill = r->options & PTRACE_O_EXITKILL;
            trace_end(r, 0);
            if (kill)
                signal_process(p, SIGKILL);
        }
    }
}

static void end_told(struct trace *r, int status)
{
    bool killed = status & 0x7f;
    r->ended = true;
    r->exit_status = status;
    trace_tell(r, killed ? CLD_KILLED : CLD_EXITED, killed ? status & 0x7f : status >> 8 & 0xff);
}

void trace_task_ends(struct task *t)
{
    struct process *p = t->proc;
    struct trace *r = t->trace;
    tracer_ends(t);
    if (!r)
        return;
    r->task = NULL;
    r->stop = TRACE_RUNS;
    r->uid = t->cred.ruid;
    r->pgid = p->pgid;
    t->trace = NULL;
    if (t->tid == p->pid) { /* what becomes of the process is its end */
        p->trace = r;
        return;
    }
    r->proc = NULL;
    end_told(r, p->dying ? p->exit_status : t->exit_status);
}

bool trace_takes_zombie(struct process *p)
{
    struct trace *r = p->trace;
    if (!r || r->tracer->proc == p->parent)
        return false;
    end_told(r, p->exit_status);
    return true;
}

void trace_reaped(struct trace *r)
{
    struct process *p = r->proc;
    trace_forget(r);
    if (p && p->zombie && parent_notify_exit(p))
        process_reap(p);
}

void trace_killed(struct process *p)
{
    for (struct task *t = p->threads; t; t = t->next_thread) {
        if (t->trace) {
            t->trace->killed = true;
            mb_wake(t->fiber);
        }
    }
}
