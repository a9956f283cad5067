/* The personality lock: one word, a queue of those who wait for it.
 *
 *     word     0: free; else the fiber that holds it (struct mb_fiber *), with WAITERS in bit 0:
 *              somebody waits, so giving it back takes the long way
 *     inbox    waiters push themselves here (a stack); the holder moves it into the queue
 *     queue    in order of arrival; only the holder touches it
 *
 * A waiter's node lies on its stack.  It sleeps when the word says WAITERS and its node is where the
 * holder will look, and is woken by a kick.  Who gives the lock back wakes the first of the queue and
 * lets whoever comes first have it (a fiber that runs can use the lock long before one that has to be
 * woken); but once the first has waited PATIENCE_NS the lock is handed over to it, so nobody starves.
 * The model of all this is lock.pml; names in it are the same.
 *
 * Kicks are only hints: a waiter may get one that was meant for what its fiber does otherwise, and a
 * late one of the lock's may end another sleep of the fiber.  Hence the rule in membrane.h: whoever has
 * taken the lock looks anew at everything a wake-up may have been about.
 *
 * Not recursive.  Held for the length of a system call's work, never across a block.
 */
#include "mb_int.h"

#define WAITERS 1ul
#define SPINS 20
#define PATIENCE_NS 1000000ul

enum waiter_state {
    WAITING, /* asleep, or about to be */
    KICKED,  /* is being woken: no second kick */
    OWNER,   /* the lock is its own: last word on the node, which may vanish from now on */
};

struct waiter {
    struct waiter *next;
    struct mb_fiber *fiber;
    uint64_t since;
    uint32_t state; /* enum waiter_state; OWNER and KICKED by the holder, WAITING by the waiter */
};

static struct {
    volatile uint64_t word;
    struct waiter *inbox;
    struct waiter *first, **last; /* the queue; last NULL: it is empty */
} lock __attribute__((aligned(64)));

/* All with full order: the protocol is about who sees whose store first. */
static inline bool word_cas(uint64_t expect, uint64_t want)
{
    return __atomic_compare_exchange_n(&lock.word, &expect, want, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static void inbox_push(struct waiter *w)
{
    w->next = __atomic_load_n(&lock.inbox, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&lock.inbox, &w->next, w, true, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED)) {
    }
}

/* ---- the queue: by the holder ---- */
static void queue_drain(void)
{
    struct waiter *in = __atomic_exchange_n(&lock.inbox, NULL, __ATOMIC_SEQ_CST), *w = NULL;
    if (in == NULL) {
        return;
    }
    struct waiter *newest = in;
    while (in != NULL) { /* the inbox has the newest first */
        struct waiter *next = in->next;
        in->next = w;
        w = in;
        in = next;
    }
    *(lock.last != NULL ? lock.last : &lock.first) = w;
    lock.last = &newest->next;
}

static void queue_remove(const struct waiter *w)
{
    struct waiter **at = &lock.first;
    while (*at != w) {
        at = &(*at)->next;
    }
    *at = w->next;
    if (w->next == NULL) {
        lock.last = at == &lock.first ? NULL : at;
    }
}

/* ---- taking it ---- */
/* The lock is ours: true.  It is another's, who will find our node when it gives it back: false. */
static bool take_or_announce(uint64_t me, struct waiter *w)
{
    for (;;) {
        if (__atomic_load_n(&w->state, __ATOMIC_SEQ_CST) == OWNER) {
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

static void __attribute__((noinline)) lock_slow(uint64_t me)
{
    if ((lock.word & ~WAITERS) == me) {
        cell_panic("personality lock taken twice");
    }
    for (unsigned i = 0; i < SPINS; i++) {
        if (lock.word == 0 && mb_arch_lock_try(&lock.word, me)) {
            return;
        }
        mb_arch_relax();
    }
    struct waiter w = {.fiber = mb_self(), .since = mb_arch_time(), .state = WAITING};
    inbox_push(&w);
    while (!take_or_announce(me, &w)) {
        nx_recv_wait(0, NX_NEVER);
        uint32_t kicked = KICKED; /* OWNER stays */
        __atomic_compare_exchange_n(&w.state, &kicked, WAITING, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST);
    }
}

void mb_lock(void)
{
    uint64_t me = (uint64_t)mb_self();
    if (__builtin_expect(!mb_arch_lock_try(&lock.word, me), 0)) {
        lock_slow(me);
    }
}

/* ---- giving it back ---- */
static void hand_over(struct waiter *to)
{
    uint64_t handle = to->fiber->handle;
    queue_remove(to);
    __atomic_store_n(&lock.word, (uint64_t)to->fiber | WAITERS, __ATOMIC_SEQ_CST);
    __atomic_store_n(&to->state, OWNER, __ATOMIC_SEQ_CST);
    nx_send_kick(handle);
}

/* Kick the first waiter, unless that was done and it has not looked yet, and leave the lock free;
 * false: it is still ours, as somebody else has come to wait. */
static bool wake_and_release(uint64_t me, struct waiter *first)
{
    uint64_t handle = first->fiber->handle;
    bool kick = __atomic_load_n(&first->state, __ATOMIC_SEQ_CST) != KICKED;
    if (kick) {
        __atomic_store_n(&first->state, KICKED, __ATOMIC_SEQ_CST);
    }
    bool released = word_cas(me, 0);
    if (kick) {
        nx_send_kick(handle);
    }
    return released;
}

static void __attribute__((noinline)) unlock_slow(uint64_t me)
{
    if ((lock.word & ~WAITERS) != me) {
        cell_panic("personality lock given back by a fiber that does not hold it");
    }
    for (;;) {
        /* First the bit, then the look: who pushes after it sets the bit again. */
        __atomic_store_n(&lock.word, me, __ATOMIC_SEQ_CST);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        queue_drain();
        struct waiter *first = lock.first;
        if (first == NULL) {
            if (word_cas(me, 0)) {
                return;
            }
        } else if (mb_arch_time() - first->since >= mb_ns_to_ticks(PATIENCE_NS)) {
            hand_over(first);
            return;
        } else if (wake_and_release(me, first)) {
            return;
        }
    }
}

void mb_unlock(void)
{
    uint64_t me = (uint64_t)mb_self();
    if (__builtin_expect(!mb_arch_lock_release(&lock.word, me), 0)) {
        unlock_slow(me);
    }
}

bool mb_lock_is_mine(void)
{
    return (lock.word & ~WAITERS) == (uint64_t)mb_self();
}
