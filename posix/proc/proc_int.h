/* What the files of posix/proc share among themselves. */
#ifndef POSIX_PROC_INT_H
#define POSIX_PROC_INT_H

#include "proc.h"

void process_init_queues(struct process *p);
void process_drop_exe(struct process *p);
void process_free(struct process *p); /* the memory, when it is on no list */
/* Enter a new process with its first thread into all lists. */
void process_found(struct process *p, struct task *t, struct process *parent);
void task_link(struct task *t, struct process *p);
void task_unlink(struct task *t);

void rlimit_defaults(struct process *p);

/* The current thread is to wait for t's exec or end; and does so: a fatal signal ends the wait. */
void vfork_begin(struct task *t);
void vfork_wait(void);

/* Tell p's parent that p stopped or continued (CLD_*), or ended: wakes wait, sends the signal. */
void parent_notify(struct process *p, int code);
bool parent_notify_exit(struct process *p); /* true: nobody will wait for it */
void proc_stop_counted(struct process *p);  /* one thread fewer has to stop */

#endif
