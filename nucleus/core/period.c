/* See period.h. */
#include "period.h"

#include "budget.h"
#include "machine.h"
#include "sched.h"
#include "timeq.h"

#include <nx_base.h>

uint32_t period_fibers;

/* Of the hart's set with this one: 0 when it fits. */
static int fits(const struct fiber *f, uint64_t period, uint64_t budget)
{
    uint64_t longest = period, used;
    for (unsigned pass = 0; pass < 2; pass++) {
        used = budget * (longest / period);
        list_for_each(cn, &cells)
        {
            list_for_each(n, &list_entry(cn, struct cell, link)->fibers)
            {
                const struct fiber *g = list_entry(n, struct fiber, cell_link);
                if (g == f || g->period == 0 || g->hart != f->hart) {
                    continue;
                }
                if (NX_MAX(g->period, period) % NX_MIN(g->period, period) != 0) {
                    return -NX_EHARMONY;
                }
                longest = NX_MAX(longest, g->period);
                if (pass != 0) { /* all divide the longest: no rounding; each is at most that */
                    used += g->budget * (longest / g->period);
                    if (used > longest) {
                        return -NX_EBUSY;
                    }
                }
            }
        }
    }
    return used > longest ? -NX_EBUSY : 0;
}

int period_declare(struct fiber *f, uint64_t period, uint64_t budget, uint64_t phase)
{
    if (period == 0 || period > PERIOD_MOST || budget == 0 || budget > period || phase >= period ||
        budget > machine.timebase / 1000 * BUDGET_MAX_MS) {
        return -NX_EINVAL;
    }
    if (NX_MAX(f->tier, f->cell->tier) != NX_TIER_PHOTON) {
        return -NX_EPERM;
    }
    const int e = fits(f, period, budget);
    if (e != 0) {
        return e;
    }
    period_fibers += f->period == 0;
    f->period = period;
    f->budget = budget;
    f->phase = phase;
    f->release = period_next(f, arch_time());
    fiber_review(f);
    if (f->lender == NULL) {
        f->quantum = budget;
        fiber_grant(f, NX_MIN(f->left, budget));
    }
    if (f->status == FIBER_READY && !period_parked(f)) { /* to its place in line */
        sched_unready(f);
        sched_ready(f);
    }
    return 0;
}

void period_end(struct fiber *f)
{
    period_fibers -= f->period != 0;
    f->period = f->budget = 0;
    fiber_review(f);
}

uint64_t period_next(const struct fiber *f, uint64_t now)
{
    return now + f->period - (now % f->period + f->period - f->phase) % f->period;
}

void period_order(struct fiber *f, bool front)
{
    struct list *queue = &f->hart->queue[NX_TIER_PHOTON], *at;
    list_remove(&f->queue_link);
    for (at = queue->next; at != queue; at = at->next) {
        const struct fiber *g = list_entry(at, struct fiber, queue_link);
        if (period_before(f, g) || (front && !period_before(g, f))) {
            break;
        }
    }
    list_insert_before(at, &f->queue_link);
}

void period_fill(struct fiber *f)
{
    const uint64_t now = arch_time();
    if (now >= f->release) {
        f->release = period_next(f, now);
        fiber_grant(f, f->quantum);
    }
}

bool period_late(struct fiber *f)
{
    const uint64_t now = arch_time();
    if (now < f->release) {
        return false;
    }
    budget_account(f->hart, f, now);
    period_fill(f);
    return true;
}

void period_park(struct fiber *f)
{
    f->status = FIBER_READY;
    list_init(&f->queue_link);
    f->deadline = f->release;
    timeq_add(f->hart, f);
}
