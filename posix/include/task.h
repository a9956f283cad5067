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
#include "waitq.h"

struct files;
struct fsctx;
struct file;
struct mm;      /* mm.h */
struct sighand; /* sig.h */
struct tty;

#define NGROUPS 32
struct cred { /* copied, not shared: 6.1 semantics are per thread */
    uint32_t ruid, euid, suid, fsuid;
    uint32_t rgid, egid, sgid, fsgid;
    uint32_t ngroups;
    uint32_t groups[NGROUPS];
};

struct session {
    unsigned refs;
    int sid;
    struct tty *tty; /* controlling terminal or NULL */
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
    char state;             /* R S D T Z as in /proc */
    uint64_t sigmask, sigpending; /* bit n-1: signal n */
    void *priv;             /* the rest is private to posix/proc and posix/signal (task_int.h) */
};

struct process {
    int pid;
    struct process *parent, *children, *sibling; /* sibling: next child of the same parent */
    struct task *threads;
    struct process *next; /* all processes, by pid */
    int pgid;
    struct session *session;
    bool zombie;
    bool stopped;
    uint64_t start_ticks;
    uint64_t utime, stime; /* ns, of ended threads; see process_times */
    char *cmdline;         /* argv joined by NULs */
    size_t cmdline_len;
    char *environ_;
    size_t environ_len;
    struct file *exe;
    struct tax *tax; /* entropy counters, membrane/tax.h */
    uint64_t rlimit[16][2]; /* soft, hard */
    void *priv;
};

/* The thread that runs now; NULL on service fibers. */
#define current ((struct task *)mb_self()->task)

struct process *process_find(int pid);
struct process *process_first(void); /* then ->next, in order of pid */
struct task *task_find(int tid);
void process_times(const struct process *p, uint64_t *utime_ns, uint64_t *stime_ns,
                   uint64_t *cutime_ns, uint64_t *cstime_ns);
uint64_t process_vsize(const struct process *p);   /* bytes */
uint64_t process_resident(const struct process *p); /* pages */
bool cred_in_group(const struct cred *c, uint32_t gid);

/* Signals from elsewhere (tty, pipes): whole process, process group, current thread. */
int signal_process(struct process *p, int sig);
int signal_pgrp(int pgid, int sig);
void signal_self(int sig); /* synchronous, as SIGPIPE */

/* /proc texts that the process code knows best: write at most n bytes, answer the length. */
size_t proc_maps_text(struct process *p, char *buf, size_t n);
size_t proc_entropy_text(struct process *p, char *buf, size_t n);
size_t proc_status_signals(struct process *p, char *buf, size_t n); /* SigPnd.. lines of status */

#endif
