/* clone: new threads and new processes.
 *
 * Everything that can fail is done before anything can be seen: decode, then build, then commit.  A
 * failure at any step gives back what was taken, so a fork bomb ends in EAGAIN or ENOMEM and leaves
 * nothing behind.
 */
#include <asm/errno.h>
#include <linux/sched.h>
#include <string.h>
#include <tax.h>
#include "ipc/undo.h"
#include "mm.h"
#include "proc.h"
#include "proc_int.h"
#include "ptime.h"
#include "sig.h"
#include "sys.h"
#include "time_abi.h"
#include "trace.h"
#include <linux/ptrace.h>
#include "vfs.h"

struct clone_request {
    uint64_t flags; /* without the exit signal */
    int exit_signal;
    uint64_t stack, tls, parent_tid, child_tid;
    uint64_t pidfd; /* with CLONE_PIDFD: where its number goes */
};

/* Kinds of clone that exist on Linux and not here: namespaces. */
#define CLONE_UNKNOWN                                                                             \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET)

static unsigned tasks_alive;
static uint64_t tasks_made;

unsigned proc_task_count(void)
{
    return tasks_alive;
}

uint64_t proc_fork_count(void)
{
    return tasks_made;
}

/* As many threads as would fill an eighth of the memory if each took 16 KiB and some. */
static unsigned tasks_max(void)
{
    static unsigned max;
    if (!max) {
        uint64_t n = mb_pages_total() / 32;
        max = n < 64 ? 64 : n > PID_MAX - 100 ? PID_MAX - 100 : (unsigned)n;
    }
    return max;
}

static int decode(const struct clone_request *r)
{
    uint64_t f = r->flags;
    if (f & CLONE_UNKNOWN)
        return f & CLONE_UNKNOWN & ~CLONE_NEWUSER && !capable(CAP_SYS_ADMIN) ? -EPERM : -EINVAL;
    if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND))
        return -EINVAL;
    if ((f & CLONE_SIGHAND) && !(f & CLONE_VM))
        return -EINVAL;
    if ((f & CLONE_CLEAR_SIGHAND) && (f & CLONE_SIGHAND))
        return -EINVAL;
    if ((f & CLONE_PIDFD) && (f & (CLONE_THREAD | CLONE_DETACHED)))
        return -EINVAL;
    if ((f & CLONE_PIDFD) && (f & CLONE_PARENT_SETTID) && r->pidfd == r->parent_tid)
        return -EINVAL;
    if ((f & CLONE_PARENT) && current->proc == process_init())
        return -EINVAL;
    if (r->exit_signal < 0 || r->exit_signal > SIG_COUNT)
        return -EINVAL;
    return 0;
}

static bool may_have_more(struct task *t)
{
    if (tasks_alive >= tasks_max())
        return false;
    return t->cred.ruid == 0 || capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN) ||
           t->user->tasks < t->proc->rlimit[RLIMIT_NPROC][0];
}

/* ---- the parts of a thread ---- */

/* Drops what the task has; parts it never got are NULL. */
static void task_free_parts(struct task *t)
{
    if (t->mm)
        mm_unref(t->mm);
    if (t->files)
        files_unref(t->files);
    if (t->fs)
        fsctx_unref(t->fs);
    sem_undo_drop(t);
    sighand_unref(t->sighand);
    user_unref(t->user);
    pid_unref(t->pid);
    cred_drop(&t->cred);
    mb_free(t);
}

static struct mm *clone_mm(struct task *from, uint64_t flags)
{
    return flags & CLONE_VM ? mm_ref(from->mm) : mm_clone(from->mm);
}

static int clone_sighand(struct task *t, const struct task *from, uint64_t flags)
{
    t->sighand = flags & CLONE_SIGHAND ? sighand_ref(from->sighand) : sighand_copy(from->sighand);
    if (!t->sighand)
        return -ENOMEM;
    if (flags & CLONE_CLEAR_SIGHAND)
        memset(t->sighand->action, 0, sizeof t->sighand->action);
    return 0;
}

/* The address space comes last: it is what costs. */
static int clone_parts(struct task *t, struct task *from, uint64_t flags)
{
    t->pid = pid_make();
    if (!t->pid)
        return -EAGAIN;
    t->tid = t->pid->nr;
    t->user = user_ref(from->user);
    t->files = flags & CLONE_FILES ? files_ref(from->files) : files_copy(from->files);
    if (!t->files)
        return -ENOMEM;
    t->fs = flags & CLONE_FS ? fsctx_ref(from->fs) : fsctx_copy(from->fs);
    if (!t->fs)
        return -ENOMEM;
    int err = clone_sighand(t, from, flags);
    if (!err)
        err = sem_undo_clone(t, from, flags);
    if (err)
        return err;
    t->mm = clone_mm(from, flags);
    return t->mm ? 0 : -ENOMEM;
}

static struct task *clone_task(struct task *from, uint64_t flags, int *err)
{
    struct task *t = mb_zalloc(sizeof *t);
    if (!t) {
        *err = -ENOMEM;
        return NULL;
    }
    *err = clone_parts(t, from, flags);
    if (*err) {
        task_free_parts(t);
        return NULL;
    }
    cred_copy(&t->cred, &from->cred);
    memcpy(t->comm, from->comm, sizeof t->comm);
    t->state = 'R';
    t->sigmask = from->sigmask;
    if (!(flags & CLONE_VM)) {
        t->rseq = from->rseq;
        t->rseq_signature = from->rseq_signature;
    }
    t->affinity = from->affinity;
    t->timer_slack = t->timer_slack_default = from->timer_slack;
    t->ioprio = from->ioprio;
    t->no_new_privs = from->no_new_privs;
    if (!from->sched_reset) {
        t->sched_policy = from->sched_policy;
        t->sched_prio = from->sched_prio;
    }
    if (!(flags & CLONE_VM) || (flags & CLONE_VFORK)) { /* else the stack would be shared */
        t->alt_sp = from->alt_sp;
        t->alt_size = from->alt_size;
        t->alt_flags = from->alt_flags;
    } else {
        t->alt_flags = SS_DISABLE;
    }
    return t;
}

/* ---- the parts of a process ---- */

void process_drop_exe(struct process *p)
{
    if (!p->exe)
        return;
    file_allow_write(p->exe);
    file_unref(p->exe);
    p->exe = NULL;
}

void process_free(struct process *p)
{
    waitq_close(&p->signal_wait); /* an epoll instance of others may watch our signals */
    process_drop_exe(p);
    tax_free(p->tax);
    cred_drop(&p->cred);
    mb_free(p);
}

static struct process *clone_process(const struct process *from, struct task *t)
{
    struct process *p = mb_zalloc(sizeof *p);
    if (!p)
        return NULL;
    p->tax = tax_make();
    if (from->exe && file_deny_write(from->exe) == 0)
        p->exe = file_ref(from->exe);
    if (!p->tax) {
        process_free(p);
        return NULL;
    }
    p->pid = t->tid;
    p->start_ticks = mb_ticks();
    memcpy(p->rlimit, from->rlimit, sizeof p->rlimit);
    memcpy(p->comm, t->comm, sizeof p->comm);
    p->dumpable = from->dumpable;
    p->no_tty = from->no_tty;
    p->nice = current->sched_reset && from->nice < 0 ? 0 : from->nice;
    p->oom_score_adj = from->oom_score_adj;
    p->oom_score_adj_min = from->oom_score_adj_min;
    p->cpu_watched = from->rlimit[RLIMIT_CPU][0] != RLIM_INFINITY;
    p->personality = from->personality;
    process_init_queues(p);
    return p;
}

void process_init_queues(struct process *p)
{
    waitq_init(&p->threads_wait);
    waitq_init(&p->child_wait);
    waitq_init(&p->signal_wait);
}

/* ---- commit ---- */

void task_link(struct task *t, struct process *p)
{
    struct task **at = &p->threads;
    while (*at)
        at = &(*at)->next_thread;
    *at = t;
    t->proc = p;
    t->pid->task = t;
    p->nthreads++;
    t->user->tasks++;
    tasks_alive++;
    tasks_made++;
}

void task_unlink(struct task *t)
{
    struct task **at = &t->proc->threads;
    while (*at != t)
        at = &(*at)->next_thread;
    *at = t->next_thread;
    t->pid->task = NULL;
    t->proc->nthreads--;
    t->user->tasks--;
    tasks_alive--;
}

void process_found(struct process *p, struct task *t, struct process *parent)
{
    p->pid_ref = t->pid;
    pid_ref(t->pid);
    t->pid->proc = p;
    process_link(p, parent);
    task_link(t, p);
}

/* The child's registers: the parent's, with 0 as the result. */
static void clone_registers(struct nx_state *to, const struct clone_request *r)
{
    struct nx_state *from = current_state;
    memcpy(to->reg, from->reg, sizeof to->reg);
    to->reg[10] = 0;
    if (r->stack)
        to->reg[2] = r->stack;
    if (r->flags & CLONE_SETTLS)
        to->reg[4] = r->tls;
    to->fixup = to->hart = 0;
    to->flags = 0;
    if (from->flags & NX_FS_FP_USED) {
        state_fp_sync(from);
        memcpy(to->fp, from->fp, sizeof to->fp);
        to->fcsr = from->fcsr;
        to->flags = NX_FS_FP_USED | NX_FS_FP_LOAD;
    }
}

static void first_upcall(void *arg)
{
    struct task *t = arg;
    mb_lock();
    mb_self()->task = t;
    if (t->set_tid) {
        int32_t tid = t->tid;
        mm_bind(t->mm);
        mb_copy_out(t->set_tid, &tid,
                    sizeof tid); /* as on Linux, a bad address is the caller's loss */
    }
    thread_main(t); /* gives up the lock */
}

static void commit(struct task *t, struct process *p, const struct clone_request *r)
{
    struct process *mine = current->proc;
    clone_registers(t->fiber->state, r);
    if (r->flags & CLONE_CHILD_CLEARTID)
        t->clear_tid = r->child_tid;
    if (r->flags & CLONE_CHILD_SETTID)
        t->set_tid = r->child_tid;
    if (!p) {
        task_link(t, mine);
        return;
    }
    p->exit_signal = r->exit_signal;
    p->made_by = r->flags & CLONE_PARENT ? mine->made_by : current->tid;
    p->session = session_ref(mine->session);
    if (r->flags & CLONE_PARENT)
        p->exit_signal = mine->exit_signal;
    process_found(p, t, r->flags & CLONE_PARENT ? mine->parent : mine);
    pgrp_join(p, mine->pgrp);
}

/* PTRACE_EVENT_*: what a tracer calls this. */
static unsigned trace_kind(const struct clone_request *r)
{
    if (r->flags & CLONE_VFORK)
        return PTRACE_EVENT_VFORK;
    return r->exit_signal == SIGCHLD ? PTRACE_EVENT_FORK : PTRACE_EVENT_CLONE;
}

/* CLONE_PIDFD: the descriptor, its number told; or an error. */
static int pidfd_open_for(struct pid *pid, uint64_t unumber)
{
    struct file *f = pidfd_make(pid, 0);
    int32_t fd = f ? fd_install(f, 0, true) : -ENOMEM;
    if (fd >= 0 && mb_copy_out(unumber, &fd, sizeof fd)) {
        fd_close(fd);
        return -EFAULT;
    }
    return fd;
}

static long clone(const struct clone_request *r)
{
    struct task *me = current;
    int err = decode(r);
    if (err)
        return err;
    if (!may_have_more(me))
        return -EAGAIN;
    if (me->work & (WORK_SIGNAL | WORK_EXIT | WORK_STOP))
        return -ERESTARTNOINTR; /* so that a fork bomb can be killed between its forks */

    struct task *t = clone_task(me, r->flags, &err);
    if (!t)
        return err;
    struct process *p = NULL;
    if (!(r->flags & CLONE_THREAD)) {
        p = clone_process(me->proc, t);
        if (!p) {
            task_free_parts(t);
            return -ENOMEM;
        }
    }
    int pidfd = r->flags & CLONE_PIDFD ? pidfd_open_for(t->pid, r->pidfd) : -1;
    if (pidfd >= 0 || !(r->flags & CLONE_PIDFD))
        t->fiber = mb_fiber_start(first_upcall, t); /* it waits for the lock */
    if (!t->fiber) {
        if (p)
            process_free(p);
        task_free_parts(t);
        if (pidfd >= 0)
            fd_close(pidfd);
        return pidfd < -1 ? pidfd : -EAGAIN;
    }
    /* Point of no return. */
    commit(t, p, r);
    int32_t tid = t->tid;
    if (r->flags & CLONE_PARENT_SETTID)
        mb_copy_out(r->parent_tid, &tid, sizeof tid);
    bool vfork = r->flags & CLONE_VFORK;
    if (vfork)
        vfork_begin(t);
    if (me->trace) {
        trace_child(me, t, trace_kind(r), r->flags);
        if (!(r->flags & CLONE_UNTRACED))
            trace_event(me, trace_kind(r), (uint64_t)tid); /* t may be gone after it */
    }
    if (vfork) {
        vfork_wait();
        trace_event(me, PTRACE_EVENT_VFORK_DONE, (uint64_t)tid);
    }
    return tid;
}

/* riscv64: flags, stack, parent_tid, tls, child_tid */
long sys_clone(const uint64_t a[6])
{
    struct clone_request r = {
        .flags = (uint32_t)a[0] & ~(uint64_t)CSIGNAL,
        .exit_signal = a[0] & CSIGNAL,
        .stack = a[1],
        .parent_tid = a[2],
        .tls = a[3],
        .child_tid = a[4],
        .pidfd = a[2],
    };
    return clone(&r);
}

long sys_clone3(const uint64_t a[6])
{
    struct clone_args args;
    uint8_t *bytes = (uint8_t *)&args;
    uint64_t size = a[1];
    if (size > MB_PAGE)
        return -E2BIG;
    if (size < CLONE_ARGS_SIZE_VER0)
        return -EINVAL;
    memset(&args, 0, sizeof args);
    if (mb_copy_in(bytes, a[0], size < sizeof args ? size : sizeof args))
        return -EFAULT;
    for (uint64_t i = sizeof args; i < size;
         i++) { /* a newer struct: what we do not know must be 0 */
        uint8_t b;
        if (mb_copy_in(&b, a[0] + i, 1))
            return -EFAULT;
        if (b)
            return -E2BIG;
    }
    if ((args.flags & (CSIGNAL | CLONE_DETACHED | CLONE_INTO_CGROUP)) || args.set_tid_size)
        return -EINVAL;
    if (args.exit_signal > SIG_COUNT || !args.stack != !args.stack_size)
        return -EINVAL;
    if ((args.flags & (CLONE_THREAD | CLONE_PARENT)) && args.exit_signal)
        return -EINVAL;
    struct clone_request r = {
        .flags = args.flags,
        .exit_signal = (int)args.exit_signal,
        .stack = args.stack ? args.stack + args.stack_size : 0,
        .parent_tid = args.parent_tid,
        .tls = args.tls,
        .child_tid = args.child_tid,
        .pidfd = args.pidfd,
    };
    return clone(&r);
}
