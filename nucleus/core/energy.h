/* Kinetic economy: what a cell may cost the others, in units a second.
 *
 * One unit is a microsecond of a hart.  Charged are: time run, by any fiber, in host and foreign mode; a
 * doorbell; a page made present by a fault; making a fiber, a cell, an object.  The manifest's `energy` is
 * what flows into a cell's bucket every second, and what fits in it; 0: no limit, but the same counters.
 *
 * An empty bucket is no error.  The cell's fibers run in tier Void until a tenth of a second's worth is in it
 * again, that is while nobody else wants the hart; spawn and make answer -NX_EBUSY meanwhile.
 *
 * The paths that are charged count and no more.  The buckets are looked at from the timer interrupt, which
 * comes at the end of every budget, and in the calls that may be refused.  With the nucleus lock.
 */
#ifndef ENERGY_H
#define ENERGY_H

#include <stdbool.h>
#include <stdint.h>

struct cell;

#define ENERGY_SEND 1u
#define ENERGY_PAGE 1u
#define ENERGY_OBJECT 5u
#define ENERGY_FIBER 20u
#define ENERGY_CELL 2000u

struct energy {
    uint64_t rate; /* units a second; 0: no limit */
    uint64_t sends, pages;
    uint64_t made; /* units for fibers, cells, objects */
    /* The bucket, ticks of a hart. */
    int64_t left;  /* below 0 by what it ran over before that was noticed */
    uint64_t seen; /* of what was used, when it was looked at last: */
    uint64_t at;
    bool out; /* empty: the cell is in tier Void */
};

extern uint32_t energy_limited; /* cells with a limit */
extern uint64_t energy_next;    /* when to look again, if a timer interrupt comes */

/* The limit of a cell that `maker` (or NULL) makes with this one: at most its own. */
uint64_t energy_part(uint64_t rate, const struct cell *maker);
void energy_init(struct cell *c, uint64_t rate);
void energy_end(struct cell *c); /* it is destroyed */
void energy_tick(uint64_t now);  /* look at every limited cell */
/* May it make something that costs so many units?  They are charged if so. */
bool energy_spend(struct cell *c, uint64_t units);
uint64_t energy_used(const struct cell *c);    /* units, in this life */
uint64_t energy_left(struct cell *c);          /* units in the bucket now; ~0: no limit */
uint64_t energy_runtime(const struct cell *c); /* ticks its fibers have run, up to now */

#endif
