/* The main loop of every Linux thread: foreign mode, upcall, answer, again; and the table of calls.
 *
 *   mb_enter -> system call -> handler's result into a0 -> mb_enter
 *            -> fault       -> mm_fault, or a signal    -> mb_enter
 *            -> kick        -> look at t->work          -> mb_enter
 * The first line is what is fast.  Whatever else a thread has to do (signals, stop, exit) is in t->work
 * and done before foreign mode is entered again; who sets it also wakes the thread, so that none of it
 * is missed between the look and the entry.
 *
 * Not here: what the calls do (one file a family), who may make them.
 */
#include <asm/errno.h>
#include "call_nr.h"
#include <nx_base.h>
#include <tax.h>
#include "calls.h"
#include "mm.h"
#include "proc.h"
#include "sig.h"
#include "sys.h"
#include "thread/thread.h"
#include "time/itimer.h"
#include "trace.h"

struct call {
    sys_handler *fn;
    unsigned flags;
};

static const struct call calls[] = {
#define CALL(name, flags) [__NR_##name] = {sys_##name, flags},
#include "calls.def"
#undef CALL
};

static const char *const names[] = {
#define CALL(name, flags) [__NR_##name] = #name,
#include "calls.def"
#undef CALL
};

const char *call_name(unsigned nr)
{
    return nr < ARRAY_LEN(names) ? names[nr] : NULL;
}

/* The results that are not for programs: -ERESTARTSYS ... -ERESTART_BLOCK. */
static bool is_internal(long r)
{
    return r <= -ERESTARTSYS && r >= -ERESTART_BLOCK;
}

static long unknown_call(struct task *t, uint64_t nr)
{
    unsigned number = nr > UINT16_MAX ? UINT16_MAX : (unsigned)nr;
    if (tax_enosys(t->proc->tax, number))
        mb_log("%s (%d): system call %u does not exist here", t->comm, t->proc->pid, number);
    return -ENOSYS;
}

/* What a thread has to do before its program goes on; result: of its call, or 0. With the lock. */
static void slow_work(struct task *t, long result)
{
    if ((t->work & ~WORK_EXIT) || is_internal(result))
        signal_work(t, result);
}

/* The same call of a thread that is traced: it may stop before and after. */
static __attribute__((noinline)) void traced_call(struct task *t, struct nx_state *s)
{
    mb_lock();
    t->last_call = (uint32_t)s->reg[17];
    t->orig_a0 = s->reg[10];
    trace_call_enters(t);
    uint64_t nr = s->reg[17]; /* the tracer may have changed it */
    const struct call *c = nr < ARRAY_LEN(calls) ? &calls[nr] : NULL;
    t->last_call = (uint32_t)nr;
    t->orig_a0 = s->reg[10];
    if (!(t->work & WORK_EXIT) && (int32_t)nr != -1) { /* -1: not at all, the result is there */
        bool unlocked = c && (c->flags & CALL_NOLOCK);
        if (unlocked)
            mb_unlock();
        long r = c && c->fn ? c->fn(&s->reg[10]) : unknown_call(t, nr);
        if (unlocked)
            mb_lock();
        if (r < 0 || !c || !(c->flags & CALL_REGS))
            s->reg[10] = (uint64_t)r;
    }
    trace_call_leaves(t);
    if (is_internal((long)s->reg[10]) && !(c && (c->flags & CALL_REGS)))
        slow_work(t, (long)s->reg[10]);
    mb_unlock();
}

static void do_call(struct task *t, struct nx_state *s)
{
    if (__builtin_expect(t->trace != NULL, 0)) {
        traced_call(t, s);
        return;
    }
    uint64_t nr = s->reg[17];
    const struct call *c = &calls[nr < ARRAY_LEN(calls) ? nr : 0];
    long r;
    t->last_call = (uint32_t)nr;
    t->orig_a0 = s->reg[10];
    if (__builtin_expect(c->flags & CALL_NOLOCK, 0)) {
        r = c->fn(&s->reg[10]);
        s->reg[10] = (uint64_t)r;
        return;
    }
    mb_lock();
    if (__builtin_expect(!c->fn || nr >= ARRAY_LEN(calls), 0))
        r = unknown_call(t, nr);
    else
        r = c->fn(&s->reg[10]);
    if (__builtin_expect(c->flags & CALL_REGS, 0)) {
        if (r < 0)
            s->reg[10] = (uint64_t)r;
    } else {
        s->reg[10] = (uint64_t)r;
        if (__builtin_expect(is_internal(r), 0))
            slow_work(t, r);
    }
    mb_unlock();
}

/* ---- faults ---- */

#define CAUSE_FETCH_MISALIGNED 0
#define CAUSE_ILLEGAL 2
#define CAUSE_BREAKPOINT 3
#define CAUSE_LOAD_MISALIGNED 4
#define CAUSE_STORE_MISALIGNED 6

static void do_fault(struct task *t, const struct nx_state *s)
{
    struct mm_signal sig;
    int r = mm_fault(t->mm, s->addr, s->cause, &sig);
    t->proc->min_flt++;
    if (r == -ENOMEM)
        proc_oom();
    else if (r)
        sig_force_fault(sig.signo, sig.code, s->addr);
}

static void do_trap(const struct nx_state *s)
{
    uint64_t pc = s->reg[0];
    switch (s->cause) {
    case CAUSE_BREAKPOINT:
        sig_force_fault(SIGTRAP, TRAP_BRKPT, pc);
        break;
    case CAUSE_FETCH_MISALIGNED:
        sig_force_fault(SIGBUS, BUS_ADRALN, pc);
        break;
    case CAUSE_LOAD_MISALIGNED:
    case CAUSE_STORE_MISALIGNED:
        sig_force_fault(SIGBUS, BUS_ADRALN, pc);
        break;
    case CAUSE_ILLEGAL:
    default:
        sig_force_fault(SIGILL, ILL_ILLOPC, pc);
        break;
    }
}

static __attribute__((noinline)) void do_other(struct task *t, struct nx_state *s, int why)
{
    mb_lock();
    if (why == NX_LEAVE_FAULT || why == NX_LEAVE_NOMEM)
        do_fault(t, s);
    else if (why == NX_LEAVE_TRAP)
        do_trap(s);
    else if (why != NX_LEAVE_KICK) {
        mb_log("%s (%d): cannot enter foreign mode: %d", t->comm, t->proc->pid, why);
        proc_group_exit(t->proc, SIGKILL);
    }
    if (t->rseq != 0)
        rseq_resume(t);
    mb_unlock();
}

/* ---- the loop ---- */

void thread_main(struct task *t)
{
    struct nx_state *s = t->fiber->state;
    uint64_t instructions;
    mm_bind(t->mm); /* sets the fiber's clocks anew: look at them only afterwards */
    mb_arch_fiber_clocks(s, &t->cpu_base, &instructions);
    if (t->rseq != 0)
        rseq_begin(t);
    mb_unlock();
    for (;;) {
        while (__builtin_expect(t->work, 0)) {
            mb_lock();
            slow_work(t, 0);
            if (t->work & WORK_EXIT)
                goto out;
            if (t->proc->cpu_watched) /* the wait for the lock may have eaten its timer's kick */
                itimers_cpu_check(t->proc);
            mb_unlock();
        }
        int why = (int)mb_enter();
        struct tax *tax = t->proc->tax;
        tax_begin(tax);
        if (__builtin_expect(why == NX_LEAVE_SYSCALL, 1)) {
            do_call(t, s);
            tax_end(tax, t->last_call);
        } else {
            do_other(t, s, why);
            tax_fault(tax);
        }
        if (__builtin_expect(t->proc->cpu_watched, 0)) {
            mb_lock();
            itimers_cpu_check(t->proc);
            mb_unlock();
        }
    }
out:
    task_exit(t);
    mb_unlock();
}
