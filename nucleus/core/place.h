/* Where a woken fiber goes, and from whom an idle hart takes one.
 *
 * What it costs does not grow with the number of harts: sets of harts, a bit each, and of the busy ones a look at
 * PLACE_LOOK at most.  With the nucleus lock.
 */
#ifndef PLACE_H
#define PLACE_H

#include "fiber.h"
#include "hart.h"

#define PLACE_LOOK 4u

extern uint64_t place_idle; /* online, no fiber, nothing ready */
/* Of each tier the harts where one of it stood in line when it was looked at last.  Who hands over the hart stands in line for a moment and is not
 * noted; a budget later it is. */
extern uint64_t place_line[NX_TIERS];

/* The hart a woken fiber goes to: a periodic one where it was admitted; else where it last ran when that is idle, else an idle one, else where it
 * last ran when it outranks what is there, else where the least important work is done that it outranks, of those looked
 * at; else it waits where it last ran. */
struct hart *place(struct fiber *f);
/* Of the best tier in which somebody waits anywhere the first who may go elsewhere; NULL: there is none. */
struct fiber *place_work(void);

/* A fiber of that tier stands in line on h. */
static inline void place_note(const struct hart *h, unsigned tier)
{
    place_idle &= ~h->bit;
    place_line[tier] |= h->bit;
}

/* The highest tier in a set that is not empty: of each of the 16 sets, in two bits. */
static inline unsigned long first_tier(unsigned long ready)
{
    _Static_assert(NX_TIERS == 4, "two bits a tier, 32 for all sets");
    return 0x12131210ul >> 2 * ready & 3;
}

#endif
