/* The traced thread's side: it stops in its own fiber until the tracer has it go on, lets it go, or it is
 * killed.
 */
#include "proc/proc_int.h"
#include "trace/trace_int.h"

#define SYSGOOD 0x80

void trace_tell(const struct trace *r, int code, int status)
{
    struct process *to = r->tracer->proc;
    const struct ksigaction *a = &r->tracer->sighand->action[SIGCHLD - 1];
    bool stop = code == CLD_TRAPPED || code == CLD_STOPPED;
    if (a->handler != KSIG_IGN && !(stop && (a->flags & SA_NOCLDSTOP))) {
        struct ksiginfo info = {.signo = SIGCHLD, .code = code};
        info.u.chld.pid = r->pid->nr;
        info.u.chld.uid = r->task ? r->task->cred.ruid : r->uid;
        info.u.chld.status = status;
        sig_send(to, NULL, SIGCHLD, &info);
    }
    wait_wake(&to->child_wait);
}

/* Is it to stay stopped? */
static bool holds(const struct task *t)
{
    const struct trace *r = t->trace;
    if (!r || !r->stop || r->killed)
        return false;
    return !(t->work & WORK_EXIT) || r->code >> 8 == PTRACE_EVENT_EXIT;
}

/* Stop; the signal the tracer gave to go on with is in t->trace_signal then.  The record may be gone. */
static void stop(struct task *t, enum trace_stop kind, int code, int cld)
{
    struct trace *r = t->trace;
    t->trace_signal = 0;
    if (r->killed || ((t->work & WORK_EXIT) && code >> 8 != PTRACE_EVENT_EXIT))
        return;
    state_fp_sync(current_state); /* for who looks at the registers */
    r->stop = kind;
    r->code = code;
    r->told = false;
    r->has_info = kind != TRACE_GROUP || r->seized;
    if (r->has_info && kind != TRACE_SIGNAL)
        r->info = (struct ksiginfo){
            .signo = code & 0x7f, .code = code, .u.rt = {.pid = t->tid, .uid = t->cred.ruid}};
    t->state = 't';
    trace_tell(r, cld, code & 0x7f);
    while (holds(t))
        mb_park(MB_NEVER);
    t->state = 'R';
    if (t->trace)
        t->trace->stop = TRACE_RUNS;
}

int trace_signal(struct task *t, int sig, struct ksiginfo *info)
{
    t->trace->info = *info;
    struct task *tracer = t->trace->tracer;
    struct ksiginfo own = {.signo = 0, .code = SI_USER};
    own.u.rt.pid = tracer->proc->pid;
    own.u.rt.uid = tracer->cred.ruid;
    stop(t, TRACE_SIGNAL, sig, CLD_TRAPPED);
    int now = t->trace_signal;
    if (!now || (t->work & WORK_EXIT))
        return 0;
    if (t->trace)
        *info = t->trace->info; /* the tracer may have changed it */
    if (now != info->signo) {
        *info = own;
        info->signo = now;
    }
    if (t->sigmask & SIG_BIT(now)) { /* it waits its turn */
        sig_send(t->proc, t, now, info);
        return 0;
    }
    return now;
}

void trace_trap(struct task *t)
{
    struct trace *r = t->trace;
    t->work &= ~WORK_TRACE;
    if (!r || !r->trap)
        return;
    r->trap = false;
    if (!r->seized) {
        if (t->proc->stop_sig)
            trace_group_stop(t);
        return;
    }
    int sig = t->proc->stop_sig ? t->proc->stop_sig : SIGTRAP;
    stop(t, TRACE_EVENT, sig | PTRACE_EVENT_STOP << 8, CLD_STOPPED);
}

void trace_group_stop(struct task *t)
{
    int sig = t->proc->stop_sig;
    t->trace->trap = false;
    t->work &= ~WORK_TRACE;
    stop(t, TRACE_GROUP, t->trace->seized ? sig | PTRACE_EVENT_STOP << 8 : sig, CLD_STOPPED);
}

void trace_continued(struct process *p)
{
    for (struct task *t = p->threads; t; t = t->next_thread) {
        struct trace *r = t->trace;
        if (!r || !r->seized)
            continue;
        if (!r->stop || r->code >> 8 != PTRACE_EVENT_STOP) /* listening or not yet */
            continue;
        r->trap = true; /* the tracer hears that it is over */
        if (r->listening)
            trace_resume(r, 0);
        task_give_work(t, WORK_TRACE);
    }
}

/* ---- system calls ---- */

static void call_stop(struct task *t, enum trace_stop kind)
{
    struct trace *r = t->trace;
    if (!r || !r->syscalls)
        return;
    r->message = kind == TRACE_ENTRY ? PTRACE_EVENTMSG_SYSCALL_ENTRY : PTRACE_EVENTMSG_SYSCALL_EXIT;
    stop(t, kind, SIGTRAP | (r->options & PTRACE_O_TRACESYSGOOD ? SYSGOOD : 0), CLD_TRAPPED);
    int sig = t->trace_signal;
    if (sig) { /* the tracer may send one this way, too */
        struct ksiginfo info = {.signo = sig, .code = SI_USER};
        sig_send(t->proc, t, sig, &info);
    }
}

void trace_call_enters(struct task *t)
{
    call_stop(t, TRACE_ENTRY);
}

void trace_call_leaves(struct task *t)
{
    call_stop(t, TRACE_EXIT);
}

/* ---- events ---- */

void trace_event(struct task *t, unsigned event, uint64_t message)
{
    struct trace *r = t->trace;
    if (!r || !(r->options & (1u << event)))
        return;
    r->message = message;
    stop(t, TRACE_EVENT, (int)(SIGTRAP | event << 8), CLD_TRAPPED);
}

void trace_exec(struct task *t, int old_tid)
{
    struct trace *r = t->trace;
    if (!r)
        return;
    if (r->options & PTRACE_O_TRACEEXEC) {
        trace_event(t, PTRACE_EVENT_EXEC, (uint64_t)old_tid);
    } else if (!r->seized) {
        struct ksiginfo info = {.signo = SIGTRAP, .code = SI_USER};
        info.u.rt.pid = t->tid;
        info.u.rt.uid = t->cred.ruid;
        sig_send(t->proc, t, SIGTRAP, &info);
    }
}
