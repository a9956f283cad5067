/* The short ways of a bell and of a wait: a bell for a fiber that waits gives it the hart, and when it waits again who
 * rang goes on.  Both are calls of their own here, each in one piece with its switch, for the pair of them is what
 * every message between two cells costs.
 *
 * They are taken when nothing else is to be seen to: the fibers have nothing special (fiber_review), ran here last, have
 * budget left and no need of another timer, and nobody better has come.  Whoever rang is then the hart's lender: ready,
 * before all others in line, but in no queue.  Everything else that has to do with queues puts it into its own first
 * (sched_settle).  In all other cases the long ways of call_ipc.c see to it, which look at everything anew.
 *
 * Compiled without frame pointers (Makefile), and without a call but the last: what a call costs is most of this.
 */
#include "call.h"
#include "cell.h"
#include "hart.h"

#define unlikely(x) __builtin_expect(x, 0)

/* Has it forgotten nothing that this hart was told to forget? */
static inline bool is_stale(const struct cell *c, const struct hart *h)
{
    return (c->window.stale & h->bit) != 0;
}

/* `to` runs, with the result of its call. */
static inline __attribute__((always_inline)) long switch_to(struct hart *h, struct fiber *to,
                                                            long result)
{
    to->status = FIBER_RUNNING;
    h->fiber = to;
    arch_root_write(to->host_root);
    unlock();
    return arch_resume_call(result);
}

long call_send(uint64_t op, uint64_t slot, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct hart *h = this_hart();
    struct fiber *f = h->fiber;
    if (unlikely(op != NX_SEND_BELL || slot >= NX_SLOTS) || !try_lock()) {
        return call_send_long(op, slot, false);
    }
    struct cell *c = f->cell, *to;
    struct fiber *woken;
    const struct listener *peer = &c->peer[slot];
    uint32_t at;
    if (unlikely(f->kick_or_odd != 0) || unlikely((to = peer->cell) == NULL) ||
        unlikely((woken = to->sleeper) == NULL) ||
        unlikely((woken->watch >> (at = peer->slot) & 1) == 0) ||
        unlikely(woken->odd_to_wake != 0) || unlikely(woken->hart != h) ||
        unlikely(to->tier > c->tier) || unlikely(h->resched != 0) || unlikely(h->lender != NULL) ||
        unlikely(is_stale(to, h))) {
        return call_send_long(op, slot, true);
    }
    const uint64_t now = arch_time(), ran = now - h->since, left = f->left;
    if (unlikely(ran >= left) || unlikely(h->armed > now + woken->left)) {
        return call_send_long(op, slot, true);
    }
    h->since = now;
    f->left = left - ran;
    c->energy.sends++;
    f->status = FIBER_READY;
    h->lender = f;
    to->sleeper = NULL;
    woken->handed = true;
    return switch_to(h, woken, at);
}

long call_recv(uint64_t op, uint64_t mask, uint64_t deadline, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct hart *h = this_hart();
    struct fiber *f = h->fiber;
    /* A look at the lender without the lock, lest all other waits pay for this way. */
    if (unlikely(h->lender == NULL) || unlikely(op != NX_RECV_WAIT) ||
        unlikely(deadline != NX_NEVER) || !try_lock()) {
        return call_recv_long(op, mask, deadline, false);
    }
    struct cell *c = f->cell;
    struct fiber *to = h->lender;
    if (unlikely(f->kick_or_odd != 0) || unlikely((c->pending & mask) != 0) ||
        unlikely(c->sleeper != NULL) || unlikely(to == NULL) || unlikely(h->resched != 0) ||
        unlikely(is_stale(to->cell, h))) {
        return call_recv_long(op, mask, deadline, true);
    }
    const uint64_t now = arch_time(), ran = now - h->since, left = f->left;
    if (unlikely(ran >= left) || unlikely(h->armed > now + to->left)) {
        return call_recv_long(op, mask, deadline, true);
    }
    h->since = now;
    f->left = left - ran;
    f->status = FIBER_BLOCKED;
    f->watch = mask;
    f->out_time = now;
    c->sleeper = f;
    h->lender = NULL;
    h->switches += 2; /* to here and back */
    return switch_to(h, to, 0);
}
