/* Budgets: how long a tier may run at a stretch, and what happens when it runs longer. */
#include "budget.h"

#include "event.h"
#include "hart.h"
#include "lend.h"
#include "log.h"
#include "period.h"
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

uint64_t budget_quantum(const struct fiber *f)
{
    return quantum_at(f, NX_MAX(f->tier, f->cell->tier));
}

/* Its tier or the cell's has changed; on a loan it has what it was lent. */
static void requantum(struct fiber *f)
{
    f->outranked_by = (1u << NX_MAX(f->tier, f->cell->tier)) - 1;
    if (f->lender == NULL) {
        f->quantum = budget_quantum(f);
    }
}

static void set_tier(struct fiber *f, unsigned tier)
{
    f->tier = tier;
    requantum(f);
    f->strikes = 0;
}

static void retier(struct fiber *f)
{
    f->host_tier = f->lender != NULL ? NX_MIN(f->host_tier, f->cell->tier) : f->cell->tier;
    requantum(f);
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
        if (c->energy.out) {
            lend_end(f);
        }
        bool ready = f->status == FIBER_READY;
        if (period_parked(f)) {
            fiber_grant(f, f->quantum); /* it has paid for that */
        }
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
    if (f->lender != NULL) {
        lend_end(f);
    }
    period_end(f);
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
    /* Who says itself that it runs most of the time is believed once; others are parked until their release. */
    const bool declared = f->budget > f->period / 2 && c->tier == NX_TIER_PHOTON;
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

static void strike_fiber(struct fiber *f, uint64_t now)
{
    f->last_strike = now;
    if (++f->strikes >= STRIKES) {
        set_tier(f, NX_MAX(f->tier, f->cell->tier) + 1);
        f->demotions++;
        beb_add(NX_BEB_DEMOTED, f, f->tier, 0);
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
    if ((f->kick & KICK_LENT) != 0) {
        const bool lent = f->lender != NULL;
        lend_end(f);
        if (lent) {
            return false; /* it goes on as itself: its lender's is the budget that is used up */
        }
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
        } else {
            strike_fiber(f, now);
        }
        fiber_review(f);
    }
    if (period_holds(f)) {
        period_fill(f);
    } else {
        fiber_grant(f, f->quantum);
    }
    return true;
}

void budget_slice_void(struct hart *h)
{
    if (h == this_hart()) {
        budget_arm(h, h->fiber, arch_time());
    }
}
