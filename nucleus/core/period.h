/* Periodic fibers: admission, order, releases.
 *
 * A Photon fiber that has declared a period, a budget and a phase is released at every time t with t % period = phase, on the hart it was admitted
 * on; it is neither placed elsewhere nor taken by an idle hart.  Its budget is filled by a release and by nothing else.  Who has the shorter period goes
 * first, periodic ones before the rest of Photon; so a set of periods that divide one another meets every release up to full utilisation, whatever the
 * phases are (rate monotonic).
 *
 * To use the budget up is an overrun (a record, a strike; budget.c): the fiber is parked, that is ready and in no queue, until its next release.  It runs at
 * that moment at the latest when nothing of a shorter period does.
 *
 * What was declared holds in Photon: a fiber, or a cell, that the Ratchet has moved down is as any other there.  tick TIER ends it.
 * With the nucleus lock.
 */
#ifndef PERIOD_H
#define PERIOD_H

#include "fiber.h"
#include "hart.h"

#define PERIOD_MOST (1ul << 62) /* ticks */

/* How many there are: none, and nobody has to ask more. */
extern uint32_t period_fibers;

/* 0; -NX_EINVAL: no such numbers; -NX_EPERM: not of Photon; -NX_EHARMONY: some period of the hart and this do not divide one another; -NX_EBUSY: the
 * hart would be used more than fully. */
int period_declare(struct fiber *f, uint64_t period, uint64_t budget, uint64_t phase);
void period_end(struct fiber *f);
/* Its next release, from now on. */
uint64_t period_next(const struct fiber *f, uint64_t now);
/* It has been put into its hart's queue of Photon: to its place there. */
void period_order(struct fiber *f, bool front);
/* It wakes up, or its budget is used up: a new one if it has been released since. */
void period_fill(struct fiber *f);
/* It runs: has its next release passed? Then it has a new budget. */
bool period_late(struct fiber *f);
/* It was switched out with nothing left. */
void period_park(struct fiber *f);

static inline bool period_holds(const struct fiber *f)
{
    return f->period != 0 && f->tier == NX_TIER_PHOTON && f->cell->tier == NX_TIER_PHOTON;
}

static inline bool period_parked(const struct fiber *f)
{
    return f->status == FIBER_READY && f->heap_hart != NULL;
}

/* Both are of Photon: does f go before g? */
static inline bool period_before(const struct fiber *f, const struct fiber *g)
{
    return f->period != 0 && (g->period == 0 || f->period < g->period);
}

#endif
