/* The calls that wake and wait: send, recv, tick.  See call.h; the short ways of the first two are handover.c. */
#include "call.h"
#include "event_take.h"
#include "lend.h"
#include "period.h"
#include "ring.h"
#include "sched.h"
#include "visit.h"

#include <nx_base.h>

/* ---- send ---- */
/* Is this a call of who serves the ring in that slot, with the caller's tier? */
static bool lends(const struct fiber *f, uint64_t slot)
{
    const struct cap *cap = &f->cell->caps[slot];
    return cap->obj->type == NX_T_RING && (~cap->rights & (NX_R_LEND | NX_R_SEND)) == 0;
}

/* To who is of a worse tier: may it run at the caller's? */
static __attribute__((noinline)) bool lend_tier(struct fiber *f, uint64_t slot, struct fiber *to)
{
    return lends(f, slot) && lend(f, to);
}

static long send_bell(struct fiber *f, uint64_t slot)
{
    const struct cap *cap = cap_live(f->cell->caps, f->capmask, slot);
    struct object *o = cap != NULL ? cap->obj : NULL;
    const struct listener *to;
    if (o != NULL && o->type == NX_T_RING && (cap->rights & (NX_R_SEND | NX_R_RECV)) != 0) {
        to = ring_peer((struct ring *)o, cap->rights);
    } else {
        int e = cap_get(f, slot, NX_T_EVENT, NX_R_SEND, &o);
        if (e != 0) {
            return e;
        }
        to = &((struct event *)o)->to;
    }
    f->cell->energy.sends++;
    struct fiber *woken = event_take(to);
    if (woken == NULL) {
        if (to->cell != NULL && to->cell->tier > fiber_tier(f, false) && lends(f, slot)) {
            lend_late(f, to->cell);
        }
        return 0;
    }
    /* The consumer gets this hart at once when it last ran here, its tier allows or is lent, and nobody better
     * was to run next. */
    if ((fiber_tier(woken, false) <= fiber_tier(f, false) || lend_tier(f, slot, woken)) &&
        woken->hart == f->hart && f->hart->resched == 0) {
        f->reg[10] = 0;
        sched_hand_over(f, woken);
    }
    sched_ready(woken);
    return 0;
}

long call_send_long(uint64_t op, uint64_t a1, bool locked)
{
    struct fiber *f = locked ? call_begun(NX_PLEDGE_IPC) : call_begin(NX_PLEDGE_IPC), *to;
    long r = 0;
    if (f == NULL) {
        return -NX_EPERM;
    }
    switch (op) {
    case NX_SEND_BELL:
        r = send_bell(f, a1);
        break;
    case NX_SEND_KICK:
        to = fiber_get(f, a1);
        if (to != NULL) {
            fiber_kick(to);
        } else {
            r = -NX_EBADF;
        }
        break;
    default:
        r = -NX_ENOSYS;
        break;
    }
    unlock();
    return r;
}

/* ---- recv ---- */
/* Kicked, or on a loan or with one out, which matters if it is going to wait now. Has it been kicked? */
static __attribute__((noinline)) bool recv_kick(struct fiber *f, uint64_t fired, uint64_t deadline)
{
    if ((f->kick & KICK_ASKED) != 0) {
        f->kick &= ~KICK_ASKED;
        return true;
    }
    if (fired == 0 && deadline > arch_time()) {
        lend_wait(f);
    }
    return false;
}

static long wait(uint64_t op, uint64_t mask, uint64_t deadline, bool locked, bool opens,
                 uint64_t arg)
{
    struct fiber *f = locked ? call_begun(NX_PLEDGE_IPC) : call_begin(NX_PLEDGE_IPC);
    long r;
    if (f == NULL) {
        return -NX_EPERM;
    }
    if (op > NX_RECV_SERVE) {
        unlock();
        return -NX_ENOSYS;
    }
    struct cell *c = f->cell;
    const uint64_t entry = deadline;
    if (op == NX_RECV_SERVE) {
        deadline = NX_NEVER;
    }
    uint64_t fired = c->pending & mask & f->capmask;
    if ((f->kick & (KICK_ASKED | KICK_LENT)) != 0 && recv_kick(f, fired, deadline)) {
        r = NX_KICKED;
    } else if (fired != 0) {
        r = (long)nx_ctz64(fired);
        c->pending &= ~(1ul << r);
    } else if (deadline != NX_NEVER && deadline <= arch_time()) {
        r = -NX_ETIME;
    } else {
        mask &= f->capmask;
        if (opens) {
            visit_open(f, mask, entry, arg);
        }
        sched_block(f, mask, deadline);
    }
    unlock();
    return r;
}

long call_recv_long(uint64_t op, uint64_t mask, uint64_t deadline, bool locked)
{
    return wait(op, mask, deadline, locked, false, 0);
}

long call_serve(uint64_t op, uint64_t mask, uint64_t entry, uint64_t arg, uint64_t a4, uint64_t a5)
{
    return wait(op, mask, entry, false, true, arg);
}

/* ---- tick ---- */
static long tick_tier(struct fiber *f, uint64_t handle, uint64_t tier)
{
    struct fiber *to = fiber_get(f, handle);
    if (to == NULL) {
        return -NX_EBADF;
    }
    if (tier >= NX_TIERS || tier < f->cell->own_tier) {
        return -NX_EINVAL;
    }
    bool queued = to->status == FIBER_READY;
    if (queued) {
        sched_unready(to);
    }
    sched_set_tier(to, (unsigned)tier);
    to->demotions = 0;
    if (queued) {
        sched_ready(to);
    }
    return 0;
}

long call_tick(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    if (op == NX_TICK_NOW) {
        return (long)arch_time();
    }
    struct fiber *f = call_begin(NX_PLEDGE_TIME), *to;
    long r;
    if (f == NULL) {
        return -NX_EPERM;
    }
    switch (op) {
    case NX_TICK_YIELD:
        f->reg[10] = 0;
        sched_settle(this_hart());
        if (this_hart()->ready != 0) {
            sched_yield(f);
        }
        r = 0;
        break;
    case NX_TICK_RELEASE:
        r = f->period != 0 ? 0 : -NX_EINVAL;
        if (r != 0 || period_late(f)) {
            break;
        }
        a1 = f->release;
        /* fall through */
    case NX_TICK_SLEEP:
        if (a1 > arch_time()) {
            f->reg[10] = 0;
            f->sleeps = true;
            if ((f->kick & KICK_LENT) != 0) {
                lend_wait(f);
            }
            sched_block(f, 0, a1);
        }
        r = 0;
        break;
    case NX_TICK_TIER:
        r = tick_tier(f, a1, a2);
        break;
    case NX_TICK_PERIOD:
        to = fiber_get(f, a1);
        r = to != NULL ? period_declare(to, a2, a3, a4) : -NX_EBADF;
        break;
    default:
        r = -NX_ENOSYS;
        break;
    }
    unlock();
    return r;
}
