/* The calls that wake and wait: send, recv, tick.  See call.h; the short ways of the first two are handover.c. */
#include "call.h"
#include "event_take.h"
#include "ring.h"
#include "sched.h"

#include <nx_base.h>

/* ---- send ---- */
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
        return 0;
    }
    /* The consumer gets this hart at once when it last ran here, its tier allows, and nobody better
     * was to run next. */
    if (woken->hart == f->hart && fiber_tier(woken, false) <= fiber_tier(f, false) &&
        f->hart->resched == 0) {
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
long call_recv_long(uint64_t op, uint64_t mask, uint64_t deadline, bool locked)
{
    struct fiber *f = locked ? call_begun(NX_PLEDGE_IPC) : call_begin(NX_PLEDGE_IPC);
    long r;
    if (f == NULL) {
        return -NX_EPERM;
    }
    if (op != NX_RECV_WAIT) {
        unlock();
        return -NX_ENOSYS;
    }
    struct cell *c = f->cell;
    uint64_t fired = c->pending & mask & f->capmask;
    if ((f->kick & KICK_ASKED) != 0) {
        f->kick &= ~KICK_ASKED;
        r = NX_KICKED;
    } else if (fired != 0) {
        r = (long)nx_ctz64(fired);
        c->pending &= ~(1ul << r);
    } else if (deadline != NX_NEVER && deadline <= arch_time()) {
        r = -NX_ETIME;
    } else {
        mask &= f->capmask;
        sched_block(f, mask, deadline);
    }
    unlock();
    return r;
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
    case NX_TICK_SLEEP:
        if (a1 > arch_time()) {
            f->reg[10] = 0;
            f->sleeps = true;
            sched_block(f, 0, a1);
        }
        r = 0;
        break;
    case NX_TICK_TIER:
        r = tick_tier(f, a1, a2);
        break;
    case NX_TICK_PERIOD:
        to = fiber_get(f, a1);
        r = to != NULL ? sched_period(to, a2, a3) : -NX_EBADF;
        break;
    default:
        r = -NX_ENOSYS;
        break;
    }
    unlock();
    return r;
}
