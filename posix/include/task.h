/* Tasks, processes, and the objects they share (posix/proc, posix/mem, posix/signal).
 *
 * A task is a Linux thread, run by one fiber.  A process is a thread group.  mm (address space), files,
 * fsctx, sighand and cred are objects of their own with reference counts: clone shares any subset.
 * Everything wants the personality lock unless it says otherwise.
 */
#ifndef POSIX_TASK_H
#define POSIX_TASK_H

#include <membrane.h>
#include <stdbool.h>
#include <stdint.h>
#include "cred.h"
#include "waitq.h"

struct files;
struct fsctx;
struct file;
struct mm;      /* mm.h */
struct sighand; /* sig.h */
struct tty;

struct session {
    unsigned refs;
    int sid;
    struct pid *pid;      /* keeps the number in use */
    struct tty *tty;      /* controlling terminal or NULL */
    struct pid *old_pgrp; /* foreground when the terminal hung up under it */
};

struct process;
struct task {
    int tid;
    struct process *proc;
    struct task *next_thread; /* in proc->threads */
    struct mb_fiber *fiber;
    struct mm *mm; /* NULL once it is exiting */
    struct files *files;
    struct fsctx *fs;
    struct sighand *sighand;
    struct cred cred;
    char comm[16];
    char state;                   /* R S D T Z as in /proc */
    uint64_t sigmask, sigpending; /* bit n-1: signal n */

    /* Why the main loop must not go back to foreign mode at once: WORK_*.  Changed under the lock by
     * whoever gives the thread something to do (and wakes it); the thread itself looks without it. */
    volatile uint32_t work;
    uint32_t last_call; /* number of the system call being handled, for restart and the log */
    uint64_t orig_a0;   /* its first argument, which the result overwrites */

    /* posix/signal */
    struct signode *sigqueue;
    uint64_t saved_mask;  /* sigsuspend, ppoll: the mask a handler returns to */
    uint64_t waited_mask; /* sigtimedwait: blocked outside that call */
    bool mask_saved;
    uint64_t alt_sp, alt_size;
    uint32_t alt_flags;
    uint32_t rseq_signature; /* with rseq, below */
    struct restart {         /* restart_syscall */
        long (*fn)(struct restart *r);
        uint64_t arg[5];
    } restart;

    /* posix/proc, posix/thread */
    struct pid *pid;
    struct user *user;
    uint64_t clear_tid; /* zeroed and woken when the thread ends */
    uint64_t robust_list;
    uint64_t rseq;        /* what it registered for restartable sequences, or 0 */
    uint64_t set_tid;     /* CLONE_CHILD_SETTID: written by the child itself */
    struct task *vfork;   /* whoever waits for this thread's exec or end */
    struct task *vforked; /* the thread this one waits for */
    struct waitq vfork_queue;
    int exit_status; /* wait status, with WORK_EXIT */
    bool exiting;
    int pdeath_signal;
    int trace_signal;             /* what its tracer gave it to go on with */
    uint64_t cpu_base;            /* ticks the fiber had run before it became this thread's */
    struct futex_waiter *pi_wait; /* asleep for a PI futex */
    struct sem_undo_list *sem_undo;
    struct trace *trace;   /* it is traced */
    struct trace *tracees; /* whom it traces */
    uint64_t affinity;
    int sched_policy, sched_prio;
    uint64_t timer_slack, timer_slack_default; /* ns */
    bool no_new_privs;                         /* for good: execve gives it none */
    bool sched_reset; /* children start with the default (SCHED_RESET_ON_FORK) */
    uint16_t ioprio;  /* 0: none of its own */
};
#define TIMER_SLACK 50000u
#define WORK_SIGNAL 1u /* a signal to handle */
#define WORK_EXIT 2u   /* the thread is to end (exit, group exit, exec of another thread) */
#define WORK_STOP 4u   /* the process is stopping */
#define WORK_MASK 8u   /* mask_saved: put the old mask back */
#define WORK_TRACE 16u /* to stop for its tracer */

struct process {
    int pid, pgid;
    struct process *parent, *children, *sibling; /* sibling: next child of the same parent */
    struct task *threads;
    struct process *next; /* all processes, by pid */
    struct session *session;
    uint64_t start_ticks;
    struct file *exe;
    struct tax *tax;        /* entropy counters, membrane/tax.h */
    uint64_t rlimit[16][2]; /* soft, hard */

    char comm[16];    /* of the last thread, for zombies */
    struct cred cred; /* the same */

    /* posix/proc */
    struct process *prev; /* in the list of all */
    struct process *last_child;
    struct pid *pid_ref; /* our number */
    struct pid *pgrp;
    struct process *pgrp_next, **pgrp_link;
    unsigned nthreads;
    bool zombie, stopped;
    bool dying;  /* group exit has begun: exit_status is final */
    bool execed; /* since it was forked: setpgid by the parent is over */
    bool subreaper, dumpable;
    bool too_many;             /* a user id taken when its RLIMIT_NPROC was reached: no execve */
    bool no_tty;               /* gave up the session's terminal (TIOCNOTTY), alone */
    bool cpu_watched;          /* has a CPU timer or limit: looked at after each upcall */
    bool cont_report;          /* continued, until wait has told */
    int exit_status;           /* wait status */
    int exit_signal;           /* to the parent at the end; 0: none */
    struct task *exec_task;    /* the thread in execve: all others end */
    int made_by;               /* the thread of the parent */
    struct trace *trace;       /* of its first thread, which has ended */
    struct waitq threads_wait; /* it waits here */
    struct waitq child_wait;   /* wait4 of any thread */
    struct waitq signal_wait;  /* sigtimedwait, sigsuspend, pause */
    int stop_sig;              /* stopping or stopped by it, 0: running */
    unsigned stop_left;        /* threads that still have to stop */
    int stop_report;           /* the signal, until wait has told */
    int nice;
    uint32_t personality;
    uint64_t min_flt, cmin_flt;
    uint64_t max_rss, cmax_rss; /* pages */
    struct io_account {
        uint64_t bytes[2], calls[2]; /* read, written */
    } io;
    int oom_score_adj, oom_score_adj_min; /* -1000: never ended for want of memory */

    /* posix/signal: pending for the process */
    uint64_t sigpending;
    struct signode *sigqueue;

    /* posix/time */
    struct itimers *itimers;
    struct posix_timer *timers;
};

/* The thread that runs now; NULL on service fibers. */
#define current ((struct task *)mb_self()->task)
/* The state area of the current thread: its program's registers. */
#define current_state (mb_self()->state)

/* The credentials that count: the current thread's, or root's on service fibers. */
static inline const struct cred *cred_now(void)
{
    static const struct cred root = CRED_ROOT;
    const struct mb_fiber *f = mb_self();
    const struct task *t = f ? f->task : 0;
    return t ? &t->cred : &root;
}
static inline bool capable(unsigned cap)
{
    return cred_has(cred_now(), cap);
}
/* Of a process: its first thread's, or what the last one left. */
static inline const struct cred *process_cred(const struct process *p)
{
    return p->threads ? &p->threads->cred : &p->cred;
}
/* May the current thread look into p, whose credentials are it, as ptrace would: the rule of most of
 * /proc/<pid>.  fs: by the fs ids (files), else by the real ones. */
static inline bool may_look(const struct process *p, const struct cred *it, bool fs)
{
    const struct cred *me = cred_now();
    uint32_t uid = fs ? me->fsuid : me->ruid, gid = fs ? me->fsgid : me->rgid;
    if ((current && p == current->proc) || cred_has(me, CAP_SYS_PTRACE))
        return true;
    bool same = uid == it->euid && uid == it->suid && uid == it->ruid && gid == it->egid &&
                gid == it->sgid && gid == it->rgid;
    return same && p->dumpable && (it->permitted & ~me->permitted) == 0;
}
static inline bool process_may_look(const struct process *p, bool fs)
{
    return may_look(p, process_cred(p), fs);
}
static inline bool task_may_look(const struct task *t, bool fs)
{
    return may_look(t->proc, &t->cred, fs);
}

struct process *process_find(int pid);
struct process *process_first(void); /* then ->next, in order of pid */
struct task *task_find(int tid);
void process_times(const struct process *p, uint64_t *utime_ns, uint64_t *stime_ns,
                   uint64_t *cutime_ns, uint64_t *cstime_ns);
uint64_t process_vsize(const struct process *p);    /* bytes */
uint64_t process_resident(const struct process *p); /* pages */
/* A soft limit of the current process, RLIMIT_*; RLIM_INFINITY on service fibers. */
uint64_t rlimit_soft(unsigned what);

/* Signals from elsewhere (tty, pipes): whole process, process group, current thread. */
int signal_process(struct process *p, int sig);
int signal_pgrp(int pgid, int sig);
void signal_self(int sig); /* synchronous, as SIGPIPE */

/* /proc texts that the process code knows best: write at most n bytes, answer the length. */
size_t proc_entropy_text(struct process *p, char *buf, size_t n);
size_t proc_status_signals(struct process *p, char *buf, size_t n); /* SigPnd.. lines of status */

#endif
