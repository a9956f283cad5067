/* ptrace(2): the requests.  There is no single step, as on Linux for riscv64: debuggers use breakpoints. */
#include <asm/errno.h>
#include "mm.h"
#include "sys.h"
#include "trace/trace_int.h"

/* SECCOMP: taken, and never comes. */
#define OPTIONS                                                                                  \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |    \
     PTRACE_O_TRACEEXEC | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT | PTRACE_O_TRACESECCOMP | \
     PTRACE_O_EXITKILL)

/* ---- beginning ---- */

/* The thread of the parent that made the current process, or its first. */
static struct task *parent_thread(void)
{
    struct process *p = current->proc;
    struct task *t = task_find(p->made_by);
    return t && t->proc == p->parent ? t : p->parent ? p->parent->threads : NULL;
}

static long trace_me(void)
{
    struct task *parent = parent_thread();
    if (current->trace)
        return -EPERM;
    if (!parent || parent->exiting)
        return 0; /* nobody is there who would trace; Linux says so, too */
    return trace_begin(current, parent) ? 0 : -ENOMEM;
}

static long attach(struct task *t, bool seize, uint64_t addr, uint64_t options)
{
    if (!t)
        return -ESRCH;
    if (seize && (addr || (options & ~(uint64_t)(OPTIONS | PTRACE_O_SUSPEND_SECCOMP))))
        return -EIO;
    if (seize && (options & PTRACE_O_SUSPEND_SECCOMP))
        return -EINVAL; /* known, and there is none to suspend */
    if (t->proc == current->proc)
        return -EPERM;
    int err = trace_may_access(t);
    if (err)
        return err;
    if (t->trace || t->exiting)
        return -EPERM;
    struct trace *r = trace_begin(t, current);
    if (!r)
        return -ENOMEM;
    r->seized = seize;
    r->options = (uint32_t)options;
    if (!seize) {
        struct ksiginfo stop = {.signo = SIGSTOP, .code = SI_KERNEL};
        r->options = 0;
        sig_send(t->proc, t, SIGSTOP, &stop);
    }
    if (t->proc->stopped) { /* it stops for us now */
        r->trap = true;
        task_give_work(t, WORK_TRACE);
    }
    return 0;
}

/* ---- requests to a stopped thread ---- */

static long peek(struct trace *r, uint64_t addr, uint64_t uaddr)
{
    uint64_t word;
    if (mm_remote_read(r->task->mm, addr, &word, sizeof word, true) != sizeof word)
        return -EIO;
    return mb_copy_out(uaddr, &word, sizeof word);
}

static long poke(struct trace *r, uint64_t addr, uint64_t word)
{
    return mm_remote_write(r->task->mm, addr, &word, sizeof word, true) == sizeof word ? 0 : -EIO;
}

static long go_on(struct trace *r, bool syscalls, uint64_t sig)
{
    if (sig > SIG_COUNT)
        return -EIO;
    r->syscalls = syscalls;
    trace_resume(r, (int)sig);
    return 0;
}

static long listen(struct trace *r)
{
    if (!r->seized || r->code >> 8 != PTRACE_EVENT_STOP)
        return -EIO;
    r->listening = true;
    if (r->trap) /* something happened since */
        trace_resume(r, 0);
    return 0;
}

static long set_options(struct trace *r, uint64_t options)
{
    if (options & ~(uint64_t)OPTIONS)
        return -EINVAL;
    r->options = (uint32_t)options;
    return 0;
}

static long set_siginfo(struct trace *r, uint64_t uaddr)
{
    struct ksiginfo info;
    int err = sig_info_in(&info, uaddr, -1);
    if (!err)
        r->info = info;
    return err;
}

static long siginfo(struct trace *r, bool set, uint64_t uaddr)
{
    if (!r->has_info)
        return -EINVAL;
    if (set)
        return set_siginfo(r, uaddr);
    if (mb_copy_out(uaddr, &r->info, sizeof r->info))
        return -EFAULT;
    return mb_zero_out(uaddr + sizeof r->info, SIGINFO_SIZE - sizeof r->info);
}

static long signal_mask(struct trace *r, bool set, uint64_t size, uint64_t uaddr)
{
    struct task *t = r->task;
    uint64_t mask = t->mask_saved ? t->saved_mask : t->sigmask;
    if (size != sizeof mask)
        return -EINVAL;
    if (!set)
        return mb_copy_out(uaddr, &mask, sizeof mask);
    if (mb_copy_in(&mask, uaddr, sizeof mask))
        return -EFAULT;
    sig_set_mask(t, mask);
    return 0;
}

static long stopped_request(struct trace *r, uint64_t what, uint64_t addr, uint64_t data)
{
    switch (what) {
    case PTRACE_PEEKTEXT:
    case PTRACE_PEEKDATA:
        return peek(r, addr, data);
    case PTRACE_POKETEXT:
    case PTRACE_POKEDATA:
        return poke(r, addr, data);
    case PTRACE_CONT:
        return go_on(r, false, data);
    case PTRACE_SYSCALL:
        return go_on(r, true, data);
    case PTRACE_DETACH:
        if (data > SIG_COUNT)
            return -EIO;
        trace_end(r, (int)data);
        return 0;
    case PTRACE_LISTEN:
        return listen(r);
    case PTRACE_SETOPTIONS:
        return set_options(r, data);
    case PTRACE_GETEVENTMSG:
        return mb_copy_out(data, &r->message, sizeof r->message);
    case PTRACE_GETSIGINFO:
    case PTRACE_SETSIGINFO:
        return siginfo(r, what == PTRACE_SETSIGINFO, data);
    case PTRACE_GETSIGMASK:
    case PTRACE_SETSIGMASK:
        return signal_mask(r, what == PTRACE_SETSIGMASK, addr, data);
    case PTRACE_GETREGSET:
    case PTRACE_SETREGSET:
        return trace_regset(r, what == PTRACE_SETREGSET, addr, data);
    case PTRACE_GET_SYSCALL_INFO:
        return trace_syscall_info(r, addr, data);
    default:
        return -EIO;
    }
}

static long interrupt(struct trace *r)
{
    if (!r->seized)
        return -EIO;
    r->trap = true;
    if (r->listening)
        trace_resume(r, 0);
    task_give_work(r->task, WORK_TRACE);
    return 0;
}

long sys_ptrace(const uint64_t a[6])
{
    uint64_t what = a[0];
    if (what == PTRACE_TRACEME)
        return trace_me();
    struct task *t = task_find((int)a[1]);
    if (what == PTRACE_ATTACH || what == PTRACE_SEIZE)
        return attach(t, what == PTRACE_SEIZE, a[2], what == PTRACE_SEIZE ? a[3] : 0);
    struct trace *r = t ? t->trace : NULL;
    if (!r || r->tracer != current)
        return -ESRCH;
    if (what == PTRACE_KILL)
        return sig_send(t->proc, NULL, SIGKILL, NULL);
    if (what == PTRACE_INTERRUPT)
        return interrupt(r);
    if (!r->stop || r->listening || r->killed)
        return -ESRCH;
    return stopped_request(r, what, a[2], a[3]);
}
