/* PI futexes: locks whose owner the personality knows.
 *
 * The word is 0 or the owner's tid, with FUTEX_WAITERS when somebody sleeps and FUTEX_OWNER_DIED when its
 * last owner ended with it.  Unlocking hands the lock to the longest waiter: word and owner change before it
 * runs.  When an owner ends, its waiter sets the word itself, as only it knows where the word is.
 * What priorities would be inherited does not matter here: scheduling is the nucleus' business.
 */
#include <asm/errno.h>
#include <linux/futex.h>
#include "proc.h"
#include "ptime.h"
#include "sig.h"
#include "thread/futex_int.h"
#include "thread/thread.h"
#include "time/clock.h"

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static unsigned waiting; /* on PI futexes, in all */

static uint32_t tid_of(uint32_t word)
{
    return word & FUTEX_TID_MASK;
}

/* Change the word from what it is (*word) to new: 0; -EAGAIN when it was something else, now in *word. */
static int change(uint64_t addr, uint32_t *word, uint32_t new)
{
    uint32_t was;
    if (mb_cas32(addr, *word, new, &was))
        return -EFAULT;
    if (was == *word)
        return 0;
    *word = was;
    return -EAGAIN;
}

/* ---- taking a free lock ---- */

/* For task t: 1 taken, 0 somebody has it (*owner), or an error.  waiters: say that there are some. */
static int take(uint64_t addr, struct task *t, const struct mm_futex_key *k, bool waiters,
                struct task **owner)
{
    uint32_t word;
    if (mb_load32(&word, addr))
        return -EFAULT;
    for (;;) {
        const struct futex_waiter *top = futex_first(k);
        if (tid_of(word) == (uint32_t)t->tid)
            return -EDEADLK;
        if (top && top->kind != FUTEX_PI)
            return -EINVAL;
        bool is_free = tid_of(word) == 0 && !top;
        uint32_t new =
            is_free ? (word & FUTEX_OWNER_DIED) | (uint32_t)t->tid | (waiters ? FUTEX_WAITERS : 0)
                    : word | FUTEX_WAITERS;
        if (!is_free) {
            *owner = top ? top->owner : task_find((int)tid_of(word));
            if (!*owner || (*owner)->exiting)
                return -ESRCH;
            if (top && tid_of(word) && (uint32_t)top->owner->tid != tid_of(word))
                return -EINVAL; /* somebody wrote what is not true */
        }
        int err = change(addr, &word, new);
        if (err != -EAGAIN)
            return err ? err : is_free;
    }
}

static bool would_deadlock(const struct task *owner)
{
    const struct task *o = owner;
    while (o && o != current && o->pi_wait)
        o = o->pi_wait->owner;
    return o == current;
}

/* ---- waiting ---- */

/* w has it now; who still waits, waits for w's task. */
static void hand_over(struct futex_waiter *w)
{
    for (struct futex_waiter *i = futex_next(w); i; i = futex_next(i))
        i->owner = w->task;
    w->task->pi_wait = NULL;
    waiting--;
    futex_woken(w);
}

static void pi_enqueue(struct futex_waiter *w, struct task *owner)
{
    w->kind = FUTEX_PI;
    w->owner = owner;
    w->task->pi_wait = w;
    waiting++;
    futex_enqueue(w);
}

static void pi_leave(struct futex_waiter *w)
{
    w->task->pi_wait = NULL;
    waiting--;
    futex_dequeue(w);
}

/* The owner ended: the word says so, or still has its name. */
static int set_after_death(uint64_t addr)
{
    uint32_t word, mine = (uint32_t)current->tid | FUTEX_WAITERS | FUTEX_OWNER_DIED;
    if (mb_load32(&word, addr))
        return -EFAULT;
    int err;
    while ((err = change(addr, &word, mine)) == -EAGAIN)
        ;
    return err;
}

/* Sleep until the lock is ours. */
static int wait_for(struct futex_waiter *w, uint64_t addr, uint64_t deadline)
{
    int err = 0;
    while (w->link && !err)
        err = wait_on(&w->queue, deadline);
    if (!w->link)
        return w->owner_died ? set_after_death(addr) : 0;
    pi_leave(w);
    return err;
}

static long lock(uint64_t addr, bool private_, uint64_t deadline, bool try)
{
    struct futex_waiter w = {.task = current};
    struct task *owner;
    int err = futex_key_of(addr, private_, &w.key);
    if (!err)
        err = take(addr, current, &w.key, false, &owner);
    if (err)
        return err < 0 ? err : 0;
    if (try)
        return -EAGAIN;
    if (would_deadlock(owner))
        return -EDEADLK;
    waitq_init(&w.queue);
    pi_enqueue(&w, owner);
    err = wait_for(&w, addr, deadline);
    return err == -EINTR ? -ERESTARTNOINTR : err;
}

static long unlock(uint64_t addr, bool private_)
{
    struct mm_futex_key k;
    uint32_t word;
    int err = futex_key_of(addr, private_, &k);
    if (err)
        return err;
    if (mb_load32(&word, addr))
        return -EFAULT;
    do {
        if (tid_of(word) != (uint32_t)current->tid)
            return -EPERM;
        struct futex_waiter *top = futex_first(&k);
        if (top && (top->kind != FUTEX_PI || top->owner != current))
            return -EINVAL;
        err = change(addr, &word, top ? (uint32_t)top->task->tid | FUTEX_WAITERS : 0);
        if (!err && top)
            hand_over(top);
    } while (err == -EAGAIN);
    return err;
}

/* ---- owners that end ---- */

static void inherit(struct futex_waiter *w, void *ctx)
{
    if (w->kind != FUTEX_PI || w->owner != ctx || futex_first(&w->key) != w)
        return;
    w->owner_died = true;
    hand_over(w);
}

void futex_owner_exits(struct task *t)
{
    if (waiting)
        futex_each(inherit, t);
}

/* ---- condition variables over PI locks ---- */

static long wait_requeue(const uint64_t a[6], bool private_, uint64_t deadline)
{
    struct futex_waiter w = {.bits = (uint32_t)a[5], .kind = FUTEX_TO_PI, .task = current};
    uint64_t addr = a[0], addr2 = a[4];
    uint32_t now;
    if (!w.bits || addr == addr2)
        return -EINVAL;
    int err = futex_key_of(addr, private_, &w.key);
    err = err ? err : futex_key_of(addr2, private_, &w.target);
    if (err)
        return err;
    if (futex_same_key(&w.key, &w.target))
        return -EINVAL;
    if (mb_load32(&now, addr))
        return -EFAULT;
    if (now != (uint32_t)a[2])
        return -EAGAIN;
    waitq_init(&w.queue);
    futex_enqueue(&w);
    while (w.link && w.kind == FUTEX_TO_PI && !err)
        err = wait_on(&w.queue, deadline);
    if (w.link && w.kind == FUTEX_TO_PI) { /* it was never moved */
        futex_dequeue(&w);
        return err == -EINTR ? -ERESTARTNOINTR : err;
    }
    err = wait_for(&w, addr2, deadline);
    return err == -EINTR ? -EAGAIN : err; /* the program asks for the lock itself then */
}

/* The longest waiter gets the lock, if it is free; the others, and it if not, wait for it. */
static long cmp_requeue(const uint64_t a[6], bool private_)
{
    int n = (int)a[3];
    uint64_t addr = a[0], addr2 = a[4];
    struct mm_futex_key k, k2;
    uint32_t now;
    if ((int)a[2] != 1 || n < 0 || addr == addr2)
        return -EINVAL;
    int err = futex_key_of(addr, private_, &k), moved = 0;
    err = err ? err : futex_key_of(addr2, private_, &k2);
    if (err)
        return err;
    if (futex_same_key(&k, &k2))
        return -EINVAL;
    if (mb_load32(&now, addr))
        return -EFAULT;
    if (now != (uint32_t)a[5])
        return -EAGAIN;
    for (struct futex_waiter *w = futex_first(&k), *next; w && moved <= n; w = next) {
        struct task *owner = NULL;
        next = futex_next(w);
        if (w->kind != FUTEX_TO_PI || !futex_same_key(&w->target, &k2))
            return moved ? moved : -EINVAL;
        err = take(addr2, w->task, &k2, next && n > 0, &owner);
        if (err < 0)
            return moved ? moved : err;
        moved++;
        if (err) {
            futex_woken(w);
            continue;
        }
        futex_dequeue(w);
        w->key = k2;
        pi_enqueue(w, owner);
    }
    return moved;
}

/* ---- the call ---- */

static int get_deadline(uint64_t utime, bool realtime, uint64_t *deadline)
{
    int64_t ns;
    *deadline = MB_NEVER;
    if (!utime)
        return 0;
    int err = time_get_timespec(utime, &ns);
    if (!err)
        *deadline = clock_deadline(realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC, ns);
    return err;
}

long futex_pi(const uint64_t a[6], int cmd, bool private_, bool realtime)
{
    uint64_t deadline;
    int err;
    switch (cmd) {
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
    case FUTEX_WAIT_REQUEUE_PI:
        err = get_deadline(a[3], realtime || cmd == FUTEX_LOCK_PI, &deadline);
        if (err)
            return err;
        return cmd == FUTEX_WAIT_REQUEUE_PI ? wait_requeue(a, private_, deadline)
                                            : lock(a[0], private_, deadline, false);
    case FUTEX_TRYLOCK_PI:
        return lock(a[0], private_, MB_NEVER, true);
    case FUTEX_UNLOCK_PI:
        return unlock(a[0], private_);
    case FUTEX_CMP_REQUEUE_PI:
        return cmp_requeue(a, private_);
    default:
        return -ENOSYS;
    }
}
