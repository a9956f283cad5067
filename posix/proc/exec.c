/* The process side of execve: alone in the group before, a clean slate after (see proc.h). */
#include <asm/errno.h>
#include <string.h>
#include <tax.h>
#include "proc_int.h"
#include "sig.h"
#include "thread/thread.h"
#include "time/itimer.h"
#include "trace.h"
#include "vfs.h"

/* The group's first thread is gone by now, and with it its number's task: take that over. */
static void become_leader(struct task *t)
{
    struct process *p = t->proc;
    if (t->tid == p->pid)
        return;
    t->pid->task = NULL;
    pid_unref(t->pid);
    t->pid = p->pid_ref;
    pid_ref(t->pid);
    t->pid->task = t;
    t->tid = p->pid;
    trace_renamed(t);
}

int proc_exec_begin(void)
{
    struct task *me = current;
    struct process *p = me->proc;
    if (p->dying || (p->exec_task && p->exec_task != me))
        return -EAGAIN;
    p->exec_task = me;
    for (struct task *t = p->threads; t; t = t->next_thread)
        if (t != me)
            task_give_work(t, WORK_EXIT);
    while (p->nthreads > 1) {
        int err = wait_on_killable(&p->threads_wait, MB_NEVER);
        if (err) {
            p->exec_task = NULL;
            return err;
        }
    }
    p->exec_task = NULL;
    become_leader(me);
    return 0;
}

void proc_exec_commit(const char *comm, bool secure)
{
    struct task *t = current;
    struct process *p = t->proc;
    if (t->sighand->refs > 1) {
        struct sighand *own = sighand_copy(t->sighand);
        if (own) { /* else the table stays shared: its other users lose their handlers, we stay safe */
            sighand_unref(t->sighand);
            t->sighand = own;
        }
    }
    sighand_reset(t->sighand);
    t->alt_sp = t->alt_size = 0;
    t->alt_flags = SS_DISABLE;
    t->robust_list = 0;
    rseq_end(t);
    t->clear_tid = 0;
    t->restart.fn = NULL;
    p->exit_signal = p->exit_signal ? SIGCHLD : 0;
    p->execed = true;
    p->dumpable = !secure;
    if (secure)
        t->pdeath_signal = 0;
    timers_exec(p);
    tax_exec(p->tax);
    strncpy(t->comm, comm, sizeof t->comm - 1);
    t->comm[sizeof t->comm - 1] = 0;
    files_close_exec(t->files);
    vfork_release(t);
}
