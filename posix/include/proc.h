/* Processes: making, ending and finding them; the glue that execve needs (posix/proc).
 *
 * Life of a process:   clone -> running <-> stopped -> zombie -> reaped by wait, or at once
 * Life of a task:      clone -> main loop (posix/calls.c) -> task_exit -> freed by its own fiber
 *
 * Rules: everything wants the personality lock.  A struct task is freed only by its own fiber, a
 * struct process only when it is a zombie and reaped; so a pointer to either is good until the holder
 * gives up the lock (blocks).
 */
#ifndef POSIX_PROC_H
#define POSIX_PROC_H

#include "task.h"

/* ---- numbers: one struct pid for all that shares a number ---- */
struct pid {
    int nr;
    unsigned refs;
    struct pid *hash_next;
    struct task *task;       /* thread with this tid */
    struct process *proc;    /* process with this pid */
    struct process *members; /* of the process group, linked by pgrp_next */
    struct waitq ended;      /* woken when the process has ended: who polls a pidfd */
};
struct pid *pid_make(void); /* a free number, one reference; NULL: none or no memory */
struct pid *pid_find(int nr);
void pid_ref(struct pid *p);
void pid_unref(struct pid *p);
#define PID_MAX 32768
extern unsigned pid_max; /* numbers stay below it, /proc/sys/kernel/pid_max */
/* A descriptor's file that stands for the process of that number, or NULL; and the other way. */
struct file *pidfd_make(struct pid *p, unsigned flags);
struct pid *pidfd_pid(const struct file *f); /* NULL: it is none */

/* ---- users: what is limited per real user id ---- */
struct user {
    struct user *next;
    unsigned refs;
    uint32_t uid;
    unsigned tasks;    /* RLIMIT_NPROC */
    unsigned signals;  /* RLIMIT_SIGPENDING */
    uint64_t mq_bytes; /* RLIMIT_MSGQUEUE */
    uint64_t epoll_items;
    unsigned inotifies, watches; /* event/inotify.c */
    unsigned inflight;           /* files in queues of sockets: RLIMIT_NOFILE */
};
struct user *user_get(uint32_t uid); /* NULL: no memory */
struct user *user_ref(struct user *u);
void user_unref(struct user *u);

/* prctl's options about capabilities (caps.c); -EINVAL for others. */
long prctl_caps(const uint64_t a[6]);

/* ---- exec's side ---- */
/* The point of no return is near: end the other threads of the group and wait until the current one is
 * alone; it then has the process' pid as its tid.  0, or -EAGAIN / -EINTR when it is to die itself. */
int proc_exec_begin(void);
/* The new image is in place (current->mm is the new one): handlers back to default (own copy of the
 * table if shared), alternate stack off, descriptors with FD_CLOEXEC closed, robust list and
 * clear_child_tid dropped, a waiting vfork parent let go, comm set, posix timers gone; pending signals,
 * the mask and itimers stay.  secure: set-id program (dumpable and parent-death signal reset). */
void proc_exec_commit(const char *comm, bool secure);

/* ---- start and end ---- */
/* Make process 1, whose thread first runs fn (as current, with the lock): it loads the program.
 * NULL: no memory. */
struct process *proc_make_init(void (*fn)(void));
/* The body of every Linux thread's fiber, entered with the lock, left without: foreign mode and
 * upcalls until the thread ends; frees it.  Binds the fiber to the thread's mm. */
void thread_main(struct task *t);
/* The whole group of p is to end with this wait status. */
void proc_group_exit(struct process *p, int wstatus);
/* Ends the current thread: gives up what it holds; the last one makes the process a zombie.
 * The task is freed. */
void task_exit(struct task *t);
/* A stop signal's default action, for the current thread's process; and the rest a thread takes then. */
void proc_stop(struct process *p, int sig);
void task_stopped(struct task *t);
void proc_continue(struct process *p);
/* Set WORK_* flags of a thread and make it look at them. */
void task_give_work(struct task *t, uint32_t work);
/* Memory is exhausted: end the largest process. Waits a little for it to go. */
void proc_oom(void);
uint64_t process_badness(const struct process *p); /* the greatest goes first; 0: never */
/* A process with a pid limit, for tests and /proc: processes and threads alive. */
unsigned proc_task_count(void);
uint64_t proc_fork_count(void); /* processes and threads made since the start */

/* ---- tree.c ---- */
void process_link(struct process *p, struct process *parent);
void process_unlink(struct process *p);
void process_reap(struct process *p); /* a zombie nobody needs any more */
struct process *process_init(void);   /* pid 1 */
void process_adopt(struct process *child, struct process *parent);

/* ---- pgrp.c ---- */
void pgrp_join(struct process *p, struct pid *pgrp);
void pgrp_leave(struct process *p);
bool pgrp_orphaned(const struct pid *pgrp, const struct process *without);
/* SIGHUP and SIGCONT to p's group if it has stopped jobs and was just orphaned: because p itself exits
 * (parent NULL), or because its former parent did. */
void pgrp_check_orphaned(struct process *p, struct process *parent);
struct session *session_make(struct pid *leader);
struct session *session_ref(struct session *s);
void session_unref(struct session *s);

/* ---- times, in nanoseconds ---- */
uint64_t task_run_ns(const struct task *t); /* of the current thread, since it began */
uint64_t task_cpu_ns(const struct task *t); /* of any; as of its last switch */

/* Called by task_exit and exec: the parent in vfork may go on. */
void vfork_release(struct task *t);

#endif
