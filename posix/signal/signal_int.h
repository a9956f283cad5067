/* What the files of posix/signal share among themselves. */
#ifndef POSIX_SIGNAL_INT_H
#define POSIX_SIGNAL_INT_H

#include "proc.h"
#include "sig.h"

/* A queued signal. */
struct signode {
    struct signode *next;
    struct user *user; /* whose account it is on */
    struct ksiginfo info;
    bool queued;
    bool
        held; /* a POSIX timer's: made with it, so that its signal needs no memory, and not freed when taken */
};

/* ---- queue.c ---- */
/* Append to a queue and mark in its set; info NULL: only the mark. 0 or -EAGAIN (realtime, no room). */
int sigq_add(uint64_t *set, struct signode **queue, struct user *user, uint64_t limit, int sig,
             const struct ksiginfo *info);
void sigq_add_held(uint64_t *set, struct signode **queue, struct signode *n);
struct signode *signode_make(struct user *user,
                             uint64_t limit); /* NULL: at the limit, or no memory */
/* Of a held one: its timer goes.  A signal that is pending stays so. */
void signode_let_go(struct signode *n);
/* Take the first of signal sig out; clears the mark with the last one. */
void sigq_take(uint64_t *set, struct signode **queue, int sig, struct ksiginfo *info);
void sigq_drop(uint64_t *set, struct signode **queue, uint64_t which);
/* The next signal of those in `of` to handle for t, and its info; 0: none. */
int sig_dequeue(struct task *t, uint64_t of, struct ksiginfo *info);

/* ---- ignore.c ---- */
/* Would sending sig to p (thread t) have no effect?  force: from the kernel, synchronous. */
bool sig_is_ignored(const struct process *p, const struct task *t, int sig);
bool sig_default_is_ignore(int sig);
bool sig_default_is_stop(int sig);
/* rt_sigaction made sig ignored: what is pending goes. */
void sig_drop_everywhere(struct process *p, uint64_t which);

/* ---- send.c ---- */
/* Send the signal of a held node, which is not queued. */
void sig_send_held(struct process *p, struct task *t, struct signode *n);

/* ---- frame.c ---- */
/* Build the handler's frame and point the registers at it; -EFAULT when the stack has no room. */
int sig_frame_push(struct task *t, const struct ksigaction *act, const struct ksiginfo *info);

/* ---- stack.c ---- */
bool altstack_holds(const struct task *t, uint64_t sp);
struct kstack { /* stack_t */
    uint64_t sp;
    int32_t flags, pad;
    uint64_t size;
};
struct kstack altstack_get(const struct task *t, uint64_t sp);
int altstack_set(struct task *t, const struct kstack *s, uint64_t sp, uint64_t min_size);

#endif
