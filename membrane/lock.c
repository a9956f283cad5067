/* The personality lock: one word, and queues of those who wait for it.
 *
 *     word     0: free; else the fiber that holds it (struct mb_fiber *), with WAITERS in bit 0:
 *              somebody waits, so giving it back takes the long way
 *     inbox    waiters push themselves here (a stack); the holder moves them into the queues
 *     queues   in order of arrival; only the holder touches them
 *
 * A waiter's node lies on its stack.  The waiter watches its node's state for a moment and then sleeps,
 * when the word says WAITERS and its node is where the holder will look.  Who gives the lock back looks
 * at the waiter whose turn it is:
 *     it is awake        the lock is handed over to it
 *     it sleeps          it is kicked, and whoever comes first has the lock meanwhile: waking takes long,
 *                        on a machine whose harts share processors very long
 *     and waited long    the lock is handed over to it all the same, so nobody starves
 *
 * Two queues: fibers that came back from a sleep of their own a moment ago (they serve somebody who waits:
 * a key, the other end of a pipe) go before those that have been running for longer, up to a limit.
 *
 * Kicks are only hints: a waiter may get one that was meant for what its fiber does otherwise, and a
 * late one of the lock's may end another sleep of the fiber.  Hence the rule in membrane.h: whoever has
 * taken the lock looks anew at everything a wake-up may have been about.
 *
 * Not recursive.  Held for the length of a system call's work, never across a block.  The model of the
 * protocol is lock.pml.
 */
#include "mb_int.h"

#define WAITERS 1ul

/* Nanoseconds. */
#define WATCH_FIRST 1000000ul /* stay awake in the hope of a hand-over */
#define WATCH 50000ul         /* in the second queue */
#define LOOKS 20              /* so often, before others of the hart may run */
#define RECENT 10000000ul     /* so short a time after its sleep a fiber goes first */
#define LATE_FIRST 1000000ul  /* after that a sleeper of the first queue is handed the lock */
#define LATE 10000000ul       /* and one of the second */
#define OVERDUE 50000000ul    /* after that it goes before the first queue */

enum waiter_state {
    AWAKE,  /* watches its state; the holder may make it the owner without a kick */
    ASLEEP, /* or about to be: wants a kick */
    KICKED, /* being woken: no second kick */
    OWNER,  /* the lock is its own: last word on the node, which may vanish from now on */
};

struct waiter {
    struct waiter *next, **link;
    struct mb_fiber *fiber;
    uint64_t since;
    uint32_t queue;
    uint32_t state; /* enum waiter_state */
};

struct queue {
    struct waiter *first, **end; /* end NULL: it is empty */
};

static struct {
    volatile uint64_t word;
    struct waiter *inbox;
    struct queue queue[2];
} lock __attribute__((aligned(64)));

/* All with full order: the protocol is about who sees whose store first. */
static inline bool word_cas(uint64_t expect, uint64_t want)
{
    return __atomic_compare_exchange_n(&lock.word, &expect, want, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static inline bool state_cas(struct waiter *w, uint32_t expect, uint32_t want)
{
    return __atomic_compare_exchange_n(&w->state, &expect, want, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static inline uint32_t state_of(const struct waiter *w)
{
    return __atomic_load_n(&w->state, __ATOMIC_SEQ_CST);
}

static inline bool waited(const struct waiter *w, uint64_t now, uint64_t ns)
{
    return now - w->since >= mb_ns_to_ticks(ns);
}

static void inbox_push(struct waiter *w)
{
    w->next = __atomic_load_n(&lock.inbox, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&lock.inbox, &w->next, w, true, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED)) {
    }
}

/* ---- the queues: by the holder ---- */
static void queue_add(struct waiter *w)
{
    struct queue *q = &lock.queue[w->queue];
    w->link = q->end != NULL ? q->end : &q->first;
    w->next = NULL;
    *w->link = w;
    q->end = &w->next;
}

static void queue_remove(const struct waiter *w)
{
    struct queue *q = &lock.queue[w->queue];
    *w->link = w->next;
    if (w->next != NULL) {
        w->next->link = w->link;
    } else {
        q->end = w->link == &q->first ? NULL : w->link;
    }
}

static void queue_drain(void)
{
    struct waiter *in = __atomic_exchange_n(&lock.inbox, NULL, __ATOMIC_SEQ_CST), *old = NULL;
    while (in != NULL) { /* the inbox has the newest first */
        struct waiter *next = in->next;
        in->next = old;
        old = in;
        in = next;
    }
    while (old != NULL) {
        struct waiter *next = old->next;
        queue_add(old);
        old = next;
    }
}

/* Whose turn it is, or NULL. */
static struct waiter *queue_choose(uint64_t now)
{
    struct waiter *first = lock.queue[0].first, *second = lock.queue[1].first;
    if (first == NULL || (second != NULL && waited(second, now, OVERDUE))) {
        return second;
    }
    return first;
}

/* ---- taking it ---- */
/* The lock is ours: true.  It is another's, who will find our node when it gives it back: false. */
static bool take_or_announce(uint64_t me, const struct waiter *w)
{
    for (;;) {
        if (state_of(w) == OWNER) {
            return true;
        }
        uint64_t word = __atomic_load_n(&lock.word, __ATOMIC_SEQ_CST);
        if (word == 0) {
            if (word_cas(0, me | WAITERS)) {
                queue_drain();
                queue_remove(w);
                return true;
            }
        } else if ((word & WAITERS) != 0 || word_cas(word, word | WAITERS)) {
            return false;
        }
    }
}

/* Awake, for a moment: true as above.  The holder may be waiting for the very hart we are on. */
static bool watch(uint64_t me, const struct waiter *w)
{
    uint64_t until = mb_arch_time() + mb_ns_to_ticks(w->queue == 0 ? WATCH_FIRST : WATCH);
    do {
        for (unsigned i = 0; i < LOOKS; i++) {
            if (take_or_announce(me, w)) {
                return true;
            }
            mb_arch_relax();
        }
        nx_tick_yield();
    } while (mb_arch_time() < until);
    return take_or_announce(me, w);
}

static void lock_wait(uint64_t me, struct waiter *w)
{
    while (!watch(me, w)) {
        if (!state_cas(w, AWAKE, ASLEEP)) {
            return; /* OWNER */
        }
        nx_recv_wait(0, NX_NEVER);
        if (!state_cas(w, KICKED, AWAKE) && !state_cas(w, ASLEEP, AWAKE) &&
            !state_cas(w, KICKED, AWAKE)) {
            return; /* OWNER */
        }
    }
}

static void __attribute__((noinline)) lock_slow(void)
{
    uint64_t me = (uint64_t)mb_self();
    if ((lock.word & ~WAITERS) == me) {
        cell_panic("personality lock taken twice");
    }
    struct mb_fiber *self = mb_self();
    struct waiter w = {.fiber = self, .since = mb_arch_time(), .state = AWAKE};
    w.queue = w.since - self->woken >= mb_ns_to_ticks(RECENT);
    inbox_push(&w);
    lock_wait(me, &w);
    self->woken += mb_arch_time() - w.since; /* waiting for us is not running */
}

void mb_lock(void)
{
    if (__builtin_expect(!mb_arch_lock_try(&lock.word, (uint64_t)mb_self()), 0)) {
        lock_slow();
    }
}

/* ---- giving it back ---- */
static void hand_over(struct waiter *to)
{
    uint64_t handle = to->fiber->handle;
    queue_remove(to);
    __atomic_store_n(&lock.word, (uint64_t)to->fiber | WAITERS, __ATOMIC_SEQ_CST);
    if (__atomic_exchange_n(&to->state, OWNER, __ATOMIC_SEQ_CST) == ASLEEP) {
        nx_send_kick(handle);
    }
}

/* Kick a waiter that sleeps, unless that was done and it has not looked yet, and leave the lock free;
 * false: it is still ours, as somebody else has come to wait. */
static bool wake_and_release(uint64_t me, struct waiter *w)
{
    uint64_t handle = w->fiber->handle;
    bool kick = state_cas(w, ASLEEP, KICKED);
    bool released = word_cas(me, 0);
    if (kick) {
        nx_send_kick(handle);
    }
    return released;
}

static void __attribute__((noinline)) unlock_slow(void)
{
    uint64_t me = (uint64_t)mb_self();
    if ((lock.word & ~WAITERS) != me) {
        cell_panic("personality lock given back by a fiber that does not hold it");
    }
    bool first;
    for (;;) {
        /* First the bit, then the look: who pushes after it sets the bit again. */
        __atomic_store_n(&lock.word, me, __ATOMIC_SEQ_CST);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        queue_drain();
        uint64_t now = mb_arch_time();
        struct waiter *w = queue_choose(now);
        first = w != NULL && w->queue == 0;
        if (w == NULL) {
            if (word_cas(me, 0)) {
                return;
            }
        } else if (state_of(w) == AWAKE || waited(w, now, w->queue == 0 ? LATE_FIRST : LATE)) {
            hand_over(w);
            break;
        } else if (wake_and_release(me, w)) {
            break;
        }
    }
    if (first) {
        nx_tick_yield(); /* it may be waiting for this hart */
    }
}

void mb_unlock(void)
{
    if (__builtin_expect(!mb_arch_lock_release(&lock.word, (uint64_t)mb_self()), 0)) {
        unlock_slow();
    }
}

void mb_lock_break(void)
{
    if ((lock.word & WAITERS) != 0) {
        mb_unlock();
        mb_lock();
    }
}

bool mb_lock_is_mine(void)
{
    return (lock.word & ~WAITERS) == (uint64_t)mb_self();
}
