/* L0: the watchdog below everything else.  It allocates nothing and asks nobody's leave.
 *
 * It watches L1, which is scheduling plus the supervisor.  L1 owes an answer
 *  - while harts are busy: a latched kick of the supervisor asks for it, every period (250 ms); the
 *    supervisor's next call is the answer;
 *  - when a cell has died whose listener the supervisor is: until it has taken the signal.
 * An idle machine owes nothing and has no timer.  Silence is counted in periods L0 has seen pass, so a
 * machine that was stopped as a whole (a debugger, a host asleep) is not silent for that long:
 *
 *    500 ms  escalate: log, Boot Error Buffer, the supervisor's fibers go first in line
 *    2.5 s   soft restart: every cell ends, the supervisor is made anew from the boot bundle
 *    10 s    reset of the machine through the firmware
 *
 * A hart that waits for the nucleus lock counts as well; without the lock only the reset is possible.
 *
 * What nothing here detects: a hart in an endless loop inside the nucleus, which takes no interrupt there,
 * when no other hart wants the lock.  That needs a timer outside of the hart.
 *
 * With the nucleus lock, except where it says so.
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

struct cell;

/* L0's next deadline.  A hart that runs something with a budget looks at it when the budget ends; the timer
 * of one without is set to it.  And that of an idle hart (NX_NEVER when nothing is owed). */
extern uint64_t watchdog_due, watchdog_due_idle;

void watchdog_start(void); /* when the first cell is made */
/* From the timer interrupt, at any time. */
void watchdog_tick(uint64_t now);
/* A hart was idle and is not any more. */
void watchdog_busy(uint64_t now);
/* The supervisor, asked (CELL_ASKED), makes a call. */
void watchdog_beat(void);
/* A cell is dead and its listener signalled. */
void watchdog_death(const struct cell *c);
/* A cell ends by a fault: three within 100 ms are one systemic event. */
void watchdog_fault(const struct cell *c);
/* Look again at `when`: what else has a deadline that busy harts keep. */
void watchdog_at(uint64_t when);

enum watchdog_why { WATCHDOG_SILENT, WATCHDOG_ENDED };
/* End every cell and make the supervisor anew; after three of these within a minute nothing goes on. */
void watchdog_restart(enum watchdog_why why);
/* Cells are ending for a restart: the last one has left. */
bool watchdog_restarting(void);
void watchdog_revive(void); /* if that is so, and no cell is left: make the supervisor */

/* The lock was not free: wait for it, count how long.  Without the lock, of course. */
void watchdog_lock_wait(void);
struct lock_wait {
    uint64_t last, waited;
    unsigned stage;
};
/* One look at the clock while waiting; here for tests. */
void lock_wait_look(struct lock_wait *w, uint64_t now);

/* Stop all harts: halt, or reset when `reset` or the boot argument `nexus.panic=reset` says so.  Needs no
 * lock. */
_Noreturn void watchdog_end(bool reset);
extern uint32_t
    watchdog_ending; /* a hart has come to that: every other one halts when it sees this */

#endif
