/* Budgets: how long a tier may run at a stretch, and what happens when it runs longer. */
#include "budget.h"

#include "event.h"
#include "hart.h"
#include "log.h"
#include "sched.h"

#include <nx_base.h>

static const uint32_t tier_us[NX_TIERS] = {
    [NX_TIER_PHOTON] = 2000,
    [NX_TIER_MATTER] = 10000,
    [NX_TIER_GRAVITY] = 50000,
    [NX_TIER_VOID] = 50000, /* a slice among Void fibers, not a budget: no strike */
};
#define STRIKES 3
static uint64_t tier_ticks[NX_TIERS];
static uint64_t second;

void sched_set_timebase(uint64_t ticks_per_second)
{
    second = ticks_per_second;
    for (unsigned t = 0; t < NX_TIERS; t++) {
        tier_ticks[t] = NX_MAX(ticks_per_second * tier_us[t] / 1000000, 1ul);
    }
}

/* What follows from its own tier and its cell's. */
static void set_limits(struct fiber *f)
{
    const unsigned worst = NX_MAX(f->tier, f->cell->tier);
    f->outranked_by = (1u << worst) - 1;
    f->quantum = f->budget != 0 ? f->budget : tier_ticks[worst];
}

static void set_tier(struct fiber *f, unsigned tier)
{
    f->tier = tier;
    set_limits(f);
    f->strikes = 0;
}

void sched_set_tier(struct fiber *f, unsigned tier)
{
    set_tier(f, tier);
    f->left = f->quantum;
    if (f->status == FIBER_RUNNING) { /* its hart looks at the queues and at its timer again */
        f->hart->resched = 1;
        if (f->hart != this_hart()) {
            arch_ipi(f->hart->index);
        }
    }
}

/* ---- native code: the cell's Ratchet ----
 *
 * A cell that may have foreign spaces has none: how long its calls take is for its programs to pay (their
 * fibers have the other Ratchet), and a personality that was moved down would be kept from serving the
 * rest by one of them.  Nor has the supervisor, which is to end those who are. */
static bool is_native(const struct cell *c)
{
    return c->quota->spaces_max == 0;
}

static void move_cell(struct fiber *f, unsigned tier)
{
    struct cell *c = f->cell;
    c->tier = tier;
    list_for_each(n, &c->fibers)
    {
        struct fiber *g = list_entry(n, struct fiber, cell_link);
        g->strikes = 0;
        set_limits(g);
        if (g->status == FIBER_READY) {
            sched_unready(g);
            sched_ready(g);
        }
    }
}

static void strike_cell(struct fiber *f, uint64_t now)
{
    struct cell *c = f->cell;
    if (c == supervisor || c->tier == NX_TIER_VOID) {
        return;
    }
    c->last_strike = now;
    if (++f->strikes < STRIKES) {
        return;
    }
    move_cell(f, c->tier + 1);
    beb_add(NX_BEB_DEMOTED, f, c->tier, 1);
    if (c->tier == NX_TIER_VOID) {
        event_signal(&c->death); /* its supervisor decides what becomes of it */
    }
}

static void promote_cell(struct fiber *f)
{
    struct cell *c = f->cell;
    const uint64_t now = arch_time();
    if (now - c->last_strike > second / 10) {
        c->last_strike = now;
        move_cell(f, c->tier - 1);
        beb_add(NX_BEB_PROMOTED, f, c->tier, 1);
    }
}

/* ---- foreign code: the fiber's ---- */

void budget_promote(struct fiber *f)
{
    if (is_native(f->cell)) {
        f->strikes =
            0; /* it has waited: no overrun of native code is of the same stretch any more */
    }
    if (f->cell->tier > f->cell->home_tier) {
        promote_cell(f);
    }
    if (f->demotions != 0 && f->tier > f->cell->home_tier &&
        arch_time() - f->last_strike > second) {
        set_tier(f, f->tier - 1);
        f->demotions--;
        f->last_strike = arch_time();
        beb_add(NX_BEB_PROMOTED, f, f->tier, 0);
    }
}

bool budget_over(struct hart *h, struct fiber *f)
{
    uint64_t now = arch_time();
    budget_account(h, f, now);
    if (f->left != 0) {
        return false;
    }
    if (NX_MAX(f->tier, f->cell->tier) < NX_TIER_VOID) {
        beb_add(NX_BEB_OVERRUN, f, f->quantum, f->runtime);
        if (is_native(f->cell)) {
            strike_cell(f, now);
            f->left = f->quantum;
            return true;
        }
        f->last_strike = now;
        if (++f->strikes >= STRIKES) {
            set_tier(f, NX_MAX(f->tier, f->cell->tier) + 1);
            f->demotions++;
            beb_add(NX_BEB_DEMOTED, f, f->tier, 0);
        }
    }
    f->left = f->quantum;
    return true;
}

void budget_slice_void(struct hart *h)
{
    if (h == this_hart()) {
        budget_arm(h, h->fiber, arch_time());
    }
}

/* ---- periodic fibers ---- */
int sched_period(struct fiber *f, uint64_t period, uint64_t budget)
{
    if (period == 0 || budget == 0 || budget > period) {
        return -NX_EINVAL;
    }
    if (NX_MAX(f->tier, f->cell->tier) != NX_TIER_PHOTON) {
        return -NX_EPERM;
    }
    /* Rate-monotonic on harmonic periods is schedulable up to full utilisation; parts per 2^20. */
    uint64_t used = 0;
    list_for_each(cn, &cells)
    {
        struct cell *c = list_entry(cn, struct cell, link);
        list_for_each(n, &c->fibers)
        {
            const struct fiber *g = list_entry(n, struct fiber, cell_link);
            if (g == f || g->period == 0 || g->hart != f->hart) {
                continue;
            }
            if (NX_MAX(g->period, period) % NX_MIN(g->period, period) != 0) {
                return -NX_EBUSY;
            }
            used += (g->budget << 20) / g->period;
        }
    }
    if (budget >= 1ul << 43 || used + (budget << 20) / period > 1ul << 20) {
        return -NX_EBUSY;
    }
    f->period = period;
    f->budget = budget;
    f->quantum = budget;
    return 0;
}
