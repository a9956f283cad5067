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

/* What was declared holds in Photon, where it was admitted. */
static uint64_t quantum_at(const struct fiber *f, unsigned tier)
{
    return f->budget != 0 && tier == NX_TIER_PHOTON ? f->budget : tier_ticks[tier];
}

static void set_tier(struct fiber *f, unsigned tier)
{
    f->tier = tier;
    f->outranked_by = (1u << NX_MAX(tier, f->cell->tier)) - 1;
    f->quantum = quantum_at(f, NX_MAX(tier, f->cell->tier));
    f->strikes = 0;
}

static void retier(struct fiber *f)
{
    unsigned tier = NX_MAX(f->tier, f->cell->tier);
    f->outranked_by = (1u << tier) - 1;
    f->quantum = quantum_at(f, tier);
    fiber_grant(f, NX_MIN(f->left, f->quantum));
    fiber_review(f);
    if (f->status == FIBER_RUNNING) {
        f->hart->resched = 1;
        if (f->hart != this_hart()) {
            arch_ipi(f->hart->index);
        }
    }
}

/* Those that wait stand in another queue. */
void budget_retier(struct cell *c)
{
    c->tier = c->energy.out ? NX_TIER_VOID : NX_MIN(c->own_tier + c->sunk, (uint32_t)NX_TIER_VOID);
    list_for_each_safe(n, &c->fibers)
    {
        struct fiber *f = list_entry(n, struct fiber, cell_link);
        bool ready = f->status == FIBER_READY;
        if (ready) {
            sched_unready(f);
        }
        retier(f);
        if (ready) {
            sched_ready(f);
        }
    }
}

void sched_set_tier(struct fiber *f, unsigned tier)
{
    set_tier(f, tier);
    fiber_grant(f, f->quantum);
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

static void strike_cell(struct fiber *f, uint64_t now)
{
    struct cell *c = f->cell;
    if (c == supervisor) {
        c->last_strike = now;
        return;
    }
    c->last_strike = now;
    /* Who says itself how long it runs is believed once. */
    const bool declared = f->budget != 0 && c->tier == NX_TIER_PHOTON;
    const bool sinks = ++f->strikes >= STRIKES || declared;
    fiber_review(f);
    if (!sinks) {
        return;
    }
    list_for_each(n, &c->fibers)
    {
        list_entry(n, struct fiber, cell_link)->strikes = 0;
    }
    c->sunk++;
    budget_retier(c);
    beb_add(NX_BEB_DEMOTED, f, c->tier, 1);
    if (c->tier == NX_TIER_VOID) {
        event_signal(&c->death); /* its supervisor decides what becomes of it */
    }
}

/* One of its fibers has waited. */
static void promote_cell(struct fiber *f)
{
    struct cell *c = f->cell;
    const uint64_t now = arch_time();
    f->strikes = 0; /* no overrun is of the same stretch any more */
    fiber_review(f);
    if (c->sunk != 0 && now - c->last_strike > second / 10) {
        c->last_strike = now;
        c->sunk--;
        budget_retier(c);
        beb_add(NX_BEB_PROMOTED, f, c->tier, 1);
    }
}

/* ---- foreign code: the fiber's ---- */

void budget_promote(struct fiber *f)
{
    if (is_native(f->cell)) {
        promote_cell(f);
    }
    if (f->tier > f->cell->own_tier && arch_time() - f->last_strike > second) {
        set_tier(f, f->tier - 1);
        f->demotions--;
        fiber_review(f);
        f->last_strike = arch_time();
        beb_add(NX_BEB_PROMOTED, f, f->tier, 0);
    }
}

uint64_t budget_patience(void)
{
    return second / 100;
}

void budget_raise(struct fiber *f)
{
    set_tier(f, f->tier - 1);
    fiber_grant(f, f->quantum);
    f->strikes = STRIKES - 1;
    f->demotions--;
    fiber_review(f);
}

bool budget_over(struct hart *h, struct fiber *f)
{
    uint64_t now = arch_time();
    /* Of this activation; budget_account forgets by how much it went over. */
    uint64_t ran = now - h->since + (f->quantum > f->left ? f->quantum - f->left : 0);
    budget_account(h, f, now);
    if (f->left != 0) {
        return false;
    }
    const bool native = is_native(f->cell), stretch = !f->handed;
    f->handed = false;
    if (stretch && (native ? f->cell->tier : NX_MAX(f->tier, f->cell->tier)) < NX_TIER_VOID) {
        /* A supervisor that never waits must not push everything else out of the buffer. */
        const uint64_t last = f->cell->last_strike;
        if (!native || f->cell != supervisor || last == 0 || now - last > second / 2) {
            beb_add(NX_BEB_OVERRUN, f, f->quantum, ran);
        }
        if (native) {
            strike_cell(f, now);
            fiber_grant(f, f->quantum);
            return true;
        }
        f->last_strike = now;
        if (++f->strikes >= STRIKES) {
            set_tier(f, NX_MAX(f->tier, f->cell->tier) + 1);
            f->demotions++;
            beb_add(NX_BEB_DEMOTED, f, f->tier, 0);
        }
        fiber_review(f);
    }
    fiber_grant(f, f->quantum);
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
    if (budget > second / 1000 * BUDGET_MAX_MS || used + (budget << 20) / period > 1ul << 20) {
        return -NX_EBUSY;
    }
    f->period = period;
    f->budget = budget;
    f->quantum = budget;
    return 0;
}
