/* What the futex files share: the table of waiters. */
#ifndef POSIX_FUTEX_INT_H
#define POSIX_FUTEX_INT_H

#include "mm.h"
#include "waitq.h"

struct task;
enum futex_kind { FUTEX_PLAIN, FUTEX_PI, FUTEX_TO_PI }; /* TO_PI: to be moved to a PI futex */

struct futex_waiter {
    struct futex_waiter *next, **link; /* in its bucket; link NULL: woken */
    struct mm_futex_key key;
    uint32_t bits;
    struct waitq queue; /* of this one waiter */
    enum futex_kind kind;
    /* PI: */
    struct task *task, *owner;
    struct mm_futex_key target; /* TO_PI: where it is to go */
    bool owner_died;            /* it got the lock by that: the word is to be set */
};

int futex_key_of(uint64_t addr, bool private_, struct mm_futex_key *k);
bool futex_same_key(const struct mm_futex_key *a, const struct mm_futex_key *b);
void futex_enqueue(struct futex_waiter *w);
void futex_dequeue(struct futex_waiter *w);
/* The longest waiter of the word; then the next one. */
struct futex_waiter *futex_first(const struct mm_futex_key *k);
struct futex_waiter *futex_next(const struct futex_waiter *w);
void futex_woken(struct futex_waiter *w); /* off the table, and running */
/* Every waiter: fn may take it off. */
void futex_each(void (*fn)(struct futex_waiter *w, void *ctx), void *ctx);

/* pi.c: the operations on PI futexes; -ENOSYS for others.  a: of the call. */
long futex_pi(const uint64_t a[6], int cmd, bool private_, bool realtime);

#endif
