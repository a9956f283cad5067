/* Wait queues: how a Linux thread sleeps inside a system call.  All with the personality lock held. */
#ifndef POSIX_WAITQ_H
#define POSIX_WAITQ_H

#include <membrane.h>
#include <stdbool.h>

struct waiter {
    struct waiter *next, *prev;
    struct mb_fiber *fiber;
    struct waitq *queue;
    bool fired;     /* set by wait_wake*, before the fiber runs again */
    bool exclusive; /* wait_wake_one wakes only one of these */
    /* Not NULL: called instead of waking a fiber (epoll).  It may wake other queues and takes nobody off
     * this one; false: nobody cared, an exclusive one behind it is to be tried too. */
    bool (*fn)(struct waiter *w);
};
struct waitq {
    struct waiter *head, *tail;
};

void waitq_init(struct waitq *q);
/* Put w of the calling fiber at the queue's end, or in front if it shares / take it off (harmless if it is off already). */
void wait_add(struct waitq *q, struct waiter *w);
void wait_remove(struct waiter *w);
/* A waiter that is called: stays queued, and is called again each time.  In front, unless exclusive. */
void wait_add_fn(struct waitq *q, struct waiter *w, bool (*fn)(struct waiter *w));
/* The queue ends while some of those with a function may still be on it: they are taken off. */
void waitq_close(struct waitq *q);
void wait_wake(struct waitq *q);     /* everybody */
void wait_wake_one(struct waitq *q); /* up to and with the first exclusive one */
/* What an exclusive one was woken for is not used up: the next that sleeps; for the others it is no news. */
void wait_pass_on(struct waitq *q);
/* Sleep on q once until woken: 0, -EINTR when a signal is to be handled, -ETIMEDOUT at the deadline
 * (ticks, MB_NEVER).  The caller loops over its condition:
 *     while (!ready) { int e = wait_on(&q, deadline); if (e) return e; }
 * Interrupted calls that Linux restarts return -ERESTARTSYS instead of -EINTR to their caller
 * (defined below; the signal code turns it into a restart or EINTR). */
int wait_on(struct waitq *q, uint64_t deadline);
/* The same as an exclusive waiter: whoever is woken alone and leaves something for others to do, or
 * leaves because of a signal, calls wait_pass_on itself. */
int wait_on_one(struct waitq *q, uint64_t deadline);
/* The same when the waiters were added by the caller (poll: many queues): park until any fired. */
int wait_park(uint64_t deadline);
/* As wait_on, but only a fatal signal (SIGKILL, exit of the group) interrupts. */
int wait_on_killable(struct waitq *q, uint64_t deadline);
/* Sleep until woken, whatever is sent meanwhile: for a device's answer, which always comes. */
void wait_on_device(struct waitq *q);
bool signal_interrupts(void); /* posix/signal: a signal wants handling by the current thread */
bool signal_fatal(void);      /* posix/signal: the current thread is to die */

/* Inside the personality only; never seen by programs. */
#define ERESTARTSYS 512 /* restart if SA_RESTART, else EINTR */
#define ERESTARTNOHAND \
    514 /* restart if no handler runs, else EINTR (pause, sigsuspend, poll, ...) */
#define ERESTART_BLOCK 516 /* like NOHAND, with the remaining time (nanosleep) */

#endif
