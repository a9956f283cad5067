/* ptrace: what the rest of the personality tells it, and asks.
 *
 * A traced thread has a struct trace, on the list of the thread that traces it.  The traced thread stops
 * itself, in its own fiber, at the points below; `stop` says at which, until the tracer has it go on.
 *
 *      signal_work --trace_signal, trace_trap--> stop      traced_call --trace_call_*--> stop
 *      clone, exec, exit --trace_event--> stop             task_stopped --trace_group_stop--> stop
 *
 * A record outlives its thread until the tracer has waited for it.  The personality lock guards it all.
 */
#ifndef POSIX_TRACE_H
#define POSIX_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include "sig.h"

struct task;
struct process;
struct pid;

enum trace_stop { TRACE_RUNS, TRACE_SIGNAL, TRACE_ENTRY, TRACE_EXIT, TRACE_EVENT, TRACE_GROUP };

struct trace {
    struct trace *next, **link; /* of the tracer's */
    struct task *tracer;
    struct task *task;    /* NULL: it has ended */
    struct process *proc; /* its; NULL once the thread, not the first, has ended */
    struct pid *pid;      /* its number, kept in use */
    uint32_t options;     /* PTRACE_O_* */
    bool gains;           /* who began it had CAP_SYS_PTRACE: execve may give privileges */
    bool seized;
    bool syscalls;  /* going on with PTRACE_SYSCALL */
    bool trap;      /* it is to stop as soon as it can (PTRACE_INTERRUPT and the like) */
    bool listening; /* PTRACE_LISTEN: stopped, but not for the tracer */
    bool killed;    /* by SIGKILL: an end that stops nowhere */
    uint8_t stop;   /* enum trace_stop */
    bool told;      /* wait has reported the stop */
    bool has_info;
    int code; /* of the stop: bits 8 and up of the wait status */
    uint64_t message;
    struct ksiginfo info;
    bool ended; /* wait may report this: */
    int exit_status, pgid;
    uint32_t uid;
};

/* ---- the traced thread's side; all of them on current ---- */
/* A signal is about to be handled: which one then, 0 for none; *info is changed with it. */
int trace_signal(struct task *t, int sig, struct ksiginfo *info);
void trace_trap(struct task *t); /* WORK_TRACE */
/* The process is stopped: stop for the tracer.  It is over when the thread may run, traced or not. */
void trace_group_stop(struct task *t);
void trace_call_enters(struct task *t);
void trace_call_leaves(struct task *t);
void trace_event(struct task *t, unsigned event,
                 uint64_t message); /* if the tracer wants to know */
void trace_exec(struct task *t, int old_tid);
void trace_renamed(struct task *t); /* exec: it has the process' number now */

/* ---- attaching ---- */
/* A child of t was made; event: PTRACE_EVENT_* of its kind, or 0.  Trace it, too, if t's tracer wants. */
void trace_child(struct task *t, struct task *child, unsigned event, uint64_t clone_flags);
void trace_task_ends(struct task *t); /* as tracer and as traced; it is still in its process */
/* A zombie: is its end a tracer's to hear first? */
bool trace_takes_zombie(struct process *p);
void trace_forget(struct trace *r); /* free the record */
/* The tracer has heard of the end (r is gone then). */
void trace_reaped(struct trace *r);
void trace_continued(struct process *p); /* SIGCONT came */
void trace_killed(struct process *p);    /* SIGKILL came */

/* May the current thread look into t and change it?  0 or -EPERM. */
int trace_may_access(const struct task *t);

#endif
