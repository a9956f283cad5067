/* Spectrum budgets and the Ratchet.  With the nucleus lock.  See sched.h. */
#ifndef BUDGET_H
#define BUDGET_H

#include "fiber.h"
#include "hart.h"
#include "period.h"
#include "watchdog.h"

/* It has waited: good behaviour is rewarded. */
void budget_promote(struct fiber *f);
static inline void budget_waited(struct fiber *f)
{
    if (fiber_is_struck(f)) {
        budget_promote(f);
    }
}
/* It takes its place in line, with a full budget. */
static inline void budget_refill(struct fiber *f)
{
    budget_waited(f);
    f->handed = false;
    if (__builtin_expect(f->period != 0, 0) && period_holds(f)) {
        period_fill(f);
    } else {
        fiber_grant(f, f->quantum);
    }
}
/* It runs at once, before those who stand in line, and so with what it had left when it ran last: fibers
 * that hand the hart to and fro are not always at the beginning of their turns. */
static inline void budget_hand(struct fiber *f)
{
    budget_waited(f);
    f->handed = true;
}
/* A program that stands in line, passed over for longer than this, moves up a tier, for one turn or until it waits:
 * overrunning there brings it down again at once. */
uint64_t budget_patience(void);
void budget_raise(struct fiber *f);
/* It ran since h->since. */
static inline void budget_account(struct hart *h, struct fiber *f, uint64_t now)
{
    uint64_t ran = now - h->since;
    h->since = now;
    if (__builtin_expect(ran > f->left, 0)) {
        fiber_grant(f, ran); /* it went over */
    }
    f->left -= ran;
}
/* Account the running fiber; when its budget is used up: new budget, true; and a strike, log and Ratchet, if it
 * used it up at a stretch. */
bool budget_over(struct hart *h, struct fiber *f);
/* Set the timer if something of this hart, which runs f (or NULL), is due before it fires.  A Void fiber that is alone has no
 * deadline of its own. */
static inline __attribute__((always_inline)) void budget_arm(struct hart *h, const struct fiber *f,
                                                             uint64_t now)
{
    uint64_t due;
    const struct fiber *first = h->sleepers;
    if (f != NULL && (h->ready != 0 || (f->tier != NX_TIER_VOID && f->host_tier != NX_TIER_VOID))) {
        due = now + f->left; /* never long: L0 looks at its own deadlines then */
    } else {
        due = f != NULL ? watchdog_due : watchdog_due_idle;
    }
    if (first != NULL && first->deadline < due) {
        due = first->deadline;
    }
    if (due < h->armed) {
        h->armed = due;
        arch_timer_set(due);
    }
}
/* What it may run at a stretch, at its own tier. */
uint64_t budget_quantum(const struct fiber *f);
/* A second Void fiber arrived: the running one gets a slice. */
void budget_slice_void(struct hart *h);
/* A cell has run out of energy, has some again, or its native code has sunk or risen: all its fibers are of
 * another tier now. */
void budget_retier(struct cell *c);
#define BUDGET_MAX_MS 200u /* a declared budget is at most that: nothing runs longer unseen by L0 */

#endif
