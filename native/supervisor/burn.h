/* Does a cell only burn?
 *
 * The nucleus has moved its native code down to Void, for it overran its budgets again and again and never
 * waited; the event of the cell said so.  One that waits is moved up again.  So two seconds later there is
 * a look: a cell that is still in Void, has used BURN_US of a hart since, and has moved nothing in its
 * channels, burns.  One that had no hart to run on, or has so much to do that it never waits - a console
 * driver under a flood of output - is looked at again.  Nobody looks when nobody has sunk. */
#ifndef SUPERVISOR_BURN_H
#define SUPERVISOR_BURN_H

#include <stdbool.h>
#include <stdint.h>

#define BURN_MS 2000u
#define BURN_US 500000u
#define BURN_NEVER (~0ul)

struct burn {
    uint64_t due; /* ms: the next look; BURN_NEVER: it has not sunk */
    uint64_t used_us, moved;
};

/* How a cell runs now. */
struct burn_run {
    uint64_t used_us; /* of a hart, in this life */
    uint64_t moved;   /* changes with every slot it puts into a channel or takes from one */
    bool in_void;     /* and its manifest says better */
};

/* A life begins. */
void burn_start(struct burn *b);
/* It has sunk to Void. */
void burn_sunk(struct burn *b, uint64_t now_ms, const struct burn_run *run);
/* Look, whether due or not: does it burn? */
bool burn_look(struct burn *b, uint64_t now_ms, const struct burn_run *run);

#endif
