/* The Harmonic Scheduler: per hart one run queue a tier, budgets in the timer, strikes, the Ratchet.
 *
 * Rules:
 *  - A ready fiber of a higher tier runs first; inside a tier, round robin by budget.
 *  - Host mode runs at the cell's tier.  Foreign mode runs at the fiber's own, which the Ratchet moves
 *    down (three overruns) and good behaviour up again (a second without one).
 *  - A program that the Ratchet moved down and that better tiers pass over for 10 ms, none of its tier running, moves up
 *    a tier for one turn.
 *  - A cell that may have no foreign spaces has a Ratchet for its native code: three overruns of a fiber that has
 *    not waited in between, and the cell's tier is one worse; a fiber of it that wakes up a tenth of
 *    a second after the last overrun moves it up again.  When it has sunk to Void its supervisor is told, by
 *    the event of the cell.  So native code that never waits starves nobody for more than
 *    100 ms, whatever its manifest says.
 *  - The timer is written only when something must happen earlier than it is set to; an idle hart with
 *    no sleeper has no timer at all.
 * All with the nucleus lock, except where it says so.
 */
#ifndef SCHED_H
#define SCHED_H

#include "fiber.h"

struct hart;

void sched_init_hart(struct hart *h);
void sched_set_timebase(uint64_t ticks_per_second);
void sched_set_tier(struct fiber *f, unsigned tier); /* base tier; forgets strikes */
/* Put a fiber that is not running into a queue: of its last hart, or of an idle one. */
void sched_ready(struct fiber *f);
void sched_unready(struct fiber *f); /* out of its queue */
void sched_first(struct fiber *f);   /* a ready one: to the front of this hart's queue */
/* Block the calling fiber until fiber_wake; result and registers are in place when it runs again.
 * deadline NX_NEVER: no timeout.  Does not return. */
_Noreturn void sched_block(struct fiber *f, uint64_t watch, uint64_t deadline);
/* The calling fiber goes to its queue's front, `to` (unblocked, in no queue) runs now. */
_Noreturn void sched_hand_over(struct fiber *f, struct fiber *to);
_Noreturn void sched_yield(struct fiber *f);
/* The calling fiber has ended (it is freed here); another runs. */
_Noreturn void sched_leave(struct fiber *f);
/* On the way to user mode with hart->resched set, or to foreign mode with a kick; takes the lock itself. */
_Noreturn void sched_reschedule(void);
/* First fiber of a hart that has nothing yet; takes the lock itself. */
_Noreturn void sched_enter(void);
/* Interrupts, without the lock. */
void sched_timer(void);
void sched_ipi(void);
extern uint64_t sched_ipis;

#endif
