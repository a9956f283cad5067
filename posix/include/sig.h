/* Signals (posix/signal): what is pending where, how one is sent, and what the main loop does with it.
 *
 *   kill, fault, tty, timer --sig_send--> [ queue of the thread or of the process ]
 *                                            | a thread is chosen, marked and woken
 *   main loop --signal_work--> handler frame | stop | exit of the group
 *
 * Rules: everything wants the personality lock.  Signal n is bit n-1 of a set.  A thread whose `work`
 * has WORK_SIGNAL has something to handle; the flag is kept right by everyone who changes a mask or a
 * queue (sig_recalc).  Layouts are those of Linux on riscv64, checked by compile-time asserts.
 * Not here: the terminal's rules about background jobs (posix/tty), waiting for children (posix/proc).
 */
#ifndef POSIX_SIG_H
#define POSIX_SIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef NX_HOST
#include <signal.h>
#else
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <linux/signal.h>
#endif

struct task;
struct process;

#define SIG_COUNT 64
#define SIG_BIT(n) (1ull << ((n)-1))
#define SIG_RT_FIRST 32 /* the first that is queued; libc keeps 32..34 for itself */

#define SIGSET_UNBLOCKABLE (SIG_BIT(SIGKILL) | SIG_BIT(SIGSTOP))
#define SIGSET_STOP (SIG_BIT(SIGSTOP) | SIG_BIT(SIGTSTP) | SIG_BIT(SIGTTIN) | SIG_BIT(SIGTTOU))
#define SIGSET_IGNORE (SIG_BIT(SIGCONT) | SIG_BIT(SIGCHLD) | SIG_BIT(SIGWINCH) | SIG_BIT(SIGURG))
#define SIGSET_SYNC                                                                              \
    (SIG_BIT(SIGSEGV) | SIG_BIT(SIGBUS) | SIG_BIT(SIGILL) | SIG_BIT(SIGTRAP) | SIG_BIT(SIGFPE) | \
     SIG_BIT(SIGSYS))

/* siginfo_t without its padding; programs see it followed by zeroes up to SIGINFO_SIZE. */
#define SIGINFO_SIZE 128
struct ksiginfo {
    int32_t signo, err, code, pad;
    union {
        struct {
            int32_t pid;
            uint32_t uid;
            uint64_t value;
        } rt; /* kill, tkill, sigqueue */
        struct {
            int32_t id, overrun;
            uint64_t value;
        } timer;
        struct {
            int32_t pid;
            uint32_t uid;
            int32_t status, pad;
            int64_t utime, stime; /* 1/100 s */
        } chld;
        struct {
            uint64_t addr;
        } fault;
        struct {
            int64_t band;
            int32_t fd;
        } poll;
        uint8_t raw[32];
    } u;
};
_Static_assert(sizeof(struct ksiginfo) == 48, "siginfo layout");
_Static_assert(offsetof(struct ksiginfo, u.rt.value) == 24, "siginfo layout");
_Static_assert(offsetof(struct ksiginfo, u.chld.utime) == 32, "siginfo layout");

/* What rt_sigaction takes and gives: no restorer on riscv64. */
struct ksigaction {
    uint64_t handler, flags, mask;
};
_Static_assert(sizeof(struct ksigaction) == 24, "sigaction layout");
#define KSIG_DFL 0ul
#define KSIG_IGN 1ul

struct sighand { /* shared by CLONE_SIGHAND */
    unsigned refs;
    struct ksigaction action[SIG_COUNT];
};
struct sighand *sighand_make(void);
struct sighand *sighand_ref(struct sighand *h);
struct sighand *sighand_copy(const struct sighand *h);
void sighand_unref(struct sighand *h);
/* exec: handlers become defaults, what is ignored stays ignored. */
void sighand_reset(struct sighand *h);

/* ---- sending ---- */
/* To thread t, or with t NULL to process p.  0, or -EAGAIN when a realtime signal found no room.
 * info NULL: from the kernel (SI_KERNEL). */
int sig_send(struct process *p, struct task *t, int sig, const struct ksiginfo *info);
/* Synchronous and not to be ignored or blocked: a fault of the current thread. */
void sig_force_fault(int sig, int code, uint64_t addr);
void sig_force(int sig);
/* May the current thread send sig to p? */
bool sig_permitted(const struct process *p, int sig);
/* As kill does: 0, -EINVAL (no such signal), -EPERM, or what sig_send says.  sig 0 only asks. */
int sig_send_checked(struct process *p, struct task *t, int sig, const struct ksiginfo *info);
/* A siginfo of the program's; sig: what is sent, -1: what it says itself.  0, -EFAULT, or -E2BIG when it is of a kind
 * we do not know and has more than we keep. */
int sig_info_in(struct ksiginfo *info, uint64_t uinfo, int sig);
/* siginfo of kill() by the current thread. */
struct ksiginfo sig_info_user(int sig, int code);

/* ---- ignoring and blocking ---- */
bool sig_ignored_or_blocked(const struct task *t, int sig); /* the terminal's question */
void sig_set_mask(struct task *t, uint64_t mask);           /* retargets what it now blocks */
void sig_recalc(struct task *t);
/* ppoll, pselect6, sigsuspend: block the set at program address uset (0: nothing to do) for this call;
 * when it ends, sig_mask_pop puts the old mask back, unless a signal interrupted the call: then the
 * handler runs under the temporary mask and returns to the old one. */
int sig_mask_push(uint64_t uset, uint64_t size); /* 0, -EINVAL, -EFAULT */
void sig_mask_pop(bool interrupted);

/* ---- the main loop's side ---- */
/* Handle everything pending for the current thread.  result: of the system call just made, or 0;
 * decides about restarting it.  Afterwards the thread either runs on or has WORK_EXIT set. */
void signal_work(struct task *t, long result);
/* Empty queues (exit). */
void sig_flush_task(struct task *t);
void sig_flush_process(struct process *p);
/* Signals waiting for t (its own and the process') that it does not block. */
uint64_t sig_deliverable(const struct task *t);

/* The state area holds the program's live floating point registers afterwards. */
struct nx_state;
void state_fp_sync(struct nx_state *s);
/* Before they are replaced in the state area: from now on those of the hart do not count, nor are they saved over the
 * area's when the fiber is switched out.  used: the program is one that uses them. */
void state_fp_replace(struct nx_state *s, bool used);

/* Inside the personality only: restart whatever happens (fork found a signal pending). */
#define ERESTARTNOINTR 513

#endif
