/* See lend.h. */
#include "lend.h"

#include "budget.h"
#include "hart.h"
#include "sched.h"

#include <nx_base.h>

#define LOOK 8u /* fibers of a cell at most, for the one that serves */

/* What it has left of its budget now. */
static uint64_t left_now(const struct fiber *f)
{
    const uint64_t ran = f->status == FIBER_RUNNING ? arch_time() - f->hart->since : 0;
    return ran < f->left ? f->left - ran : 0;
}

/* Its hart looks at the queues and at its timer again. */
static void look(struct fiber *f)
{
    if (f->status == FIBER_RUNNING) {
        f->hart->resched = 1;
        if (f->hart != this_hart()) {
            arch_ipi(f->hart->index);
        }
    }
}

/* Another tier, wherever it is. */
static void change(struct fiber *f, uint32_t tier, uint64_t quantum, uint64_t left)
{
    const bool ready = f->status == FIBER_READY;
    if (ready) {
        sched_unready(f);
    } else if (f->status == FIBER_RUNNING) {
        budget_account(f->hart, f, arch_time());
    }
    f->host_tier = tier;
    f->quantum = quantum;
    fiber_grant(f, left);
    if (ready) {
        sched_ready(f);
    }
    look(f);
}

/* Its next recv, or look at a program, is to come by here. */
static void mark(struct fiber *f)
{
    if (f->lender != NULL || f->debtor != NULL) {
        f->kick |= KICK_LENT;
    } else {
        f->kick &= ~KICK_LENT;
    }
    fiber_review(f);
}

bool lend(struct fiber *f, struct fiber *to)
{
    /* Who has lent to somebody is not lent to itself: that might be f, by way of others, and come round. */
    if (to->debtor != NULL || to->cell->energy.out) {
        return false;
    }
    if (f->debtor != NULL) {
        lend_end(f->debtor);
    }
    if (to->lender != NULL) {
        lend_end(to);
    }
    const uint64_t left = left_now(f);
    if (left == 0) {
        return false;
    }
    f->debtor = to;
    to->lender = f;
    to->lent = left;
    to->own_left = left_now(to);
    mark(f);
    mark(to);
    change(to, fiber_tier(f, false), left, left);
    return true;
}

/* Is it at work in host mode, and will it see KICK_LENT before it runs a program? */
static bool works(const struct fiber *f)
{
    return f->status == FIBER_READY     ? !f->in_foreign
           : f->status == FIBER_RUNNING ? f->cell->quota->spaces_max == 0
                                        : false;
}

/* The first that works; else the first that waits for something else. */
void lend_late(struct fiber *f, const struct cell *c)
{
    struct fiber *to = NULL;
    unsigned n = 0;
    list_for_each(l, &c->fibers)
    {
        struct fiber *g = list_entry(l, struct fiber, cell_link);
        if (++n > LOOK || (to != NULL && works(to))) {
            break;
        }
        if (g != f && (works(g) || (to == NULL && g->status == FIBER_BLOCKED && !g->sleeps))) {
            to = g;
        }
    }
    if (to != NULL && fiber_tier(to, false) > fiber_tier(f, false)) {
        (void)lend(f, to);
    }
}

/* Its lender pays for what it has run. */
static void pay(const struct fiber *f)
{
    const uint64_t used = f->lent - NX_MIN(f->lent, left_now(f));
    fiber_grant(f->lender, f->lender->left - NX_MIN(used, f->lender->left));
    look(f->lender);
}

/* And it is itself again. */
static void settle(struct fiber *f)
{
    struct fiber *by = f->lender;
    pay(f);
    f->lender = NULL;
    by->debtor = NULL;
    mark(f);
    mark(by);
    if (f->status != FIBER_DEAD) {
        const uint64_t quantum = budget_quantum(f);
        change(f, f->cell->tier, quantum, NX_MIN(f->own_left, quantum));
    }
}

void lend_end(struct fiber *f)
{
    struct fiber *last = f;
    bool past = false;
    while (last->debtor != NULL) {
        last = last->debtor;
    }
    /* From the end of the chain up to f; and who waited for f on a loan of its own has nobody at work any more. */
    while (last->lender != NULL && (!past || last->status == FIBER_BLOCKED)) {
        struct fiber *by = last->lender;
        past |= last == f;
        settle(last);
        last = by;
    }
}

void lend_wait(struct fiber *f)
{
    struct fiber *to = f->debtor;
    if (to == NULL) {
        lend_end(f);
        return;
    }
    /* What both have run since the bell is of one budget. */
    pay(to);
    to->lent = NX_MIN(left_now(to), left_now(f));
    change(to, to->host_tier, to->lent, to->lent);
    if (f->lender != NULL) {
        f->quantum = left_now(f); /* that, and no full one, is what it wakes up with */
    }
}

void lend_forget(struct fiber *f)
{
    f->status = FIBER_DEAD;
    if (f->lender != NULL || f->debtor != NULL) {
        lend_end(f);
    }
}
