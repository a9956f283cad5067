/* The end of threads and processes.
 *
 * A thread ends in its own main loop (task_exit), whoever asked for it.  The last thread of a group
 * gives up what the process holds, hands its children over, and leaves a zombie for the parent.
 */
#include <asm/errno.h>
#include <linux/ptrace.h>
#include <tax.h>
#include "ipc/undo.h"
#include "mm.h"
#include "proc_int.h"
#include "ptime.h"
#include "sig.h"
#include "sys.h"
#include "thread/thread.h"
#include "time/itimer.h"
#include "trace.h"
#include "tty/tty.h"
#include "vfs.h"

long sys_exit(const uint64_t a[6])
{
    struct task *t = current;
    t->exit_status = (a[0] & 0xff) << 8;
    t->exiting = true;
    t->work |= WORK_EXIT;
    return 0;
}

long sys_exit_group(const uint64_t a[6])
{
    proc_group_exit(current->proc, (a[0] & 0xff) << 8);
    return 0;
}

/* ---- children ---- */

static struct process *new_parent(struct process *p)
{
    for (struct process *a = p->parent; a; a = a->parent)
        if (a->subreaper && !a->dying && !a->zombie)
            return a;
    return process_init();
}

static void parent_died(struct process *child)
{
    for (struct task *t = child->threads; t; t = t->next_thread) {
        if (!t->pdeath_signal)
            continue;
        struct ksiginfo info = sig_info_user(t->pdeath_signal, SI_USER);
        sig_send(child, t, t->pdeath_signal, &info);
    }
}

static void hand_over_children(struct process *p)
{
    struct process *to = new_parent(p);
    struct process *c;
    while ((c = p->children)) {
        process_adopt(c, to);
        parent_died(c);
        if (c->zombie) {
            c->exit_signal = SIGCHLD;
            if (!(c->trace && c->trace->ended) && parent_notify_exit(c))
                process_reap(c);
            continue;
        }
        c->exit_signal = SIGCHLD;
        pgrp_check_orphaned(c, p);
    }
}

/* ---- the process ---- */

void process_reap(struct process *p)
{
    if (p->trace)
        trace_forget(p->trace);
    pgrp_leave(p);
    session_unref(p->session);
    process_unlink(p);
    p->pid_ref->proc = NULL;
    pid_unref(p->pid_ref);
    process_free(p);
}

static void process_end(struct task *t)
{
    struct process *p = t->proc;
    if (p == process_init()) {
        int s = p->exit_status;
        tty_drain(); /* what was printed last is to be seen */
        mb_power_off(s & 0x7f ? 128 + (s & 0x7f) : s >> 8 & 0xff);
    }
    p->zombie = true;
    cred_copy(&p->cred, &t->cred);
    for (unsigned i = 0; i < sizeof p->comm; i++)
        p->comm[i] = t->comm[i];
    sig_flush_process(p);
    timers_drop(p);
    process_drop_exe(p);
    if (p->session->sid == p->pid)
        tty_leader_exits(p);
    hand_over_children(p);
    pgrp_check_orphaned(p, NULL);
    wait_wake(&p->pid_ref->ended);
    if (!trace_takes_zombie(p) && parent_notify_exit(p))
        process_reap(p);
}

/* ---- the thread ---- */

/* Everything through which the outside could still reach the thread's memory. */
static void leave_memory(struct task *t, bool alone)
{
    struct mm *mm = t->mm;
    if (!mm)
        return;
    robust_list_exit(t);
    rseq_end(t);
    futex_owner_exits(t);
    if (t->clear_tid && (!alone || t->vfork)) { /* else nobody is left who could look */
        uint32_t zero = 0;
        if (mb_copy_out(t->clear_tid, &zero, sizeof zero) == 0)
            futex_wake_addr(mm, t->clear_tid, 1);
    }
    t->clear_tid = 0;
    if (alone) {
        uint64_t rss = mm_resident(mm);
        if (rss > t->proc->max_rss)
            t->proc->max_rss = rss;
    }
    t->mm = NULL;
    mb_space_bind(0);
    vfork_release(t);
    mm_unref(mm);
}

void task_exit(struct task *t)
{
    struct process *p = t->proc;
    trace_event(t, PTRACE_EVENT_EXIT, (uint64_t)(p->dying ? p->exit_status : t->exit_status));
    bool last = p->nthreads == 1;
    t->exiting = true;
    t->state = 'Z';
    sig_set_mask(t, ~0ull); /* what was meant for any thread goes to another one */
    if (last && !p->dying) {
        p->dying = true;
        p->exit_status = t->exit_status;
    }
    sem_undo_drop(t);
    leave_memory(t, last);
    files_unref(t->files);
    t->files = NULL;
    fsctx_unref(t->fs);
    t->fs = NULL;
    sig_flush_task(t);
    trace_task_ends(t);
    if (t->work & WORK_STOP)
        proc_stop_counted(p);

    task_unlink(t);
    if (last)
        process_end(t);
    else if (p->nthreads == 1)
        wait_wake(&p->threads_wait);
    sighand_unref(t->sighand);
    user_unref(t->user);
    pid_unref(t->pid);
    cred_drop(&t->cred);
    mb_self()->task = NULL;
    mb_free(t);
}
