/* Does a cell that runs do what its manifest promises - beat, and use no more than its energy?
 *
 * Looked at only when a look is due, and due only while there are cells that promise something: an idle
 * machine stays asleep.
 *
 * Heartbeat: a look every heartbeat_ms.  A cell that has not beaten between two looks is late, and one
 * that is late twice in a row is hung: it had between one and two times heartbeat_ms without a
 * beat, never less than one.
 *
 * Energy: one unit is one microsecond of a hart.  A look every second; a cell that used more than its
 * manifest's energy times the seconds since the last look is over its budget.
 *
 * Burning: the nucleus has moved its native code down to Void, for it overran its budgets and never
 * waited.  One that has waited since is moved up again at its next wake-up a second later.  So the look is
 * two seconds later: a cell that is still in Void, has used HEALTH_BURN_US of a hart since, and has moved
 * nothing in its channels, burns.  One that had no hart to run on, or has so much to do that it never
 * waits, is looked at again. */
#ifndef SUPERVISOR_HEALTH_H
#define SUPERVISOR_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

enum health_state { HEALTH_GOOD, HEALTH_HUNG, HEALTH_SPENT, HEALTH_BURNS };

#define HEALTH_ENERGY_MS 1000u
#define HEALTH_BURN_MS 2000u
#define HEALTH_BURN_US 500000u
#define HEALTH_NEVER (~0ul)

struct health {
    uint64_t beat_due; /* ms; HEALTH_NEVER: it need not beat */
    uint64_t beats;
    bool late;
    uint64_t energy_due; /* ms; HEALTH_NEVER: no limit */
    uint64_t energy_since, used_us;
    uint64_t burn_due; /* ms; HEALTH_NEVER: it has not sunk to Void */
    uint64_t burn_us;  /* what it had used by then */
    uint64_t burn_moved;
};

/* A life begins. */
void health_start(struct health *h, uint64_t now_ms, uint64_t heartbeat_ms, uint64_t energy);

/* How a cell runs now, for those whose native code may have sunk to Void. */
struct health_run {
    uint64_t used_us; /* in this life */
    uint64_t moved;   /* changes with every slot it puts into a channel or takes from one */
    bool in_void;     /* and its manifest says better */
};

/* It has sunk to Void. */
void health_sunk(struct health *h, uint64_t now_ms, const struct health_run *run);

/* When the next look is due, ms. */
uint64_t health_due(const struct health *h);

/* Look, whether due or not.  beats: what stands in its page. */
enum health_state health_look(struct health *h, uint64_t now_ms, uint64_t heartbeat_ms,
                              uint64_t beats, uint64_t energy, const struct health_run *run);

#endif
