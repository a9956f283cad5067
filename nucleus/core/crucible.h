/* The Crucible: how fast each hart is, by measurement, and who runs where for it.
 *
 * A hart does a fixed piece of work (integers, a little memory; some 20,000 instructions) a few times when it comes up,
 * and again when it becomes idle, at most once a second.  Its speed is that of the shortest time; a faster one counts at
 * once, a slower one for a sixteenth, so that it takes a hart some seconds of being slow to be called so, and no
 * hiccup of a host does it.  Classes are by share of the fastest hart:
 *
 *     APEX   7/8 and more      FORGE  5/8      MILL  3/8      EMBER  less
 *
 * Boot argument `nexus.slow=HART,FACTOR,FROM,TO`: from second FROM of the machine's counter to TO that hart does the work FACTOR
 * times over (64 at most), and so counts as that much slower: to see what a machine makes of a hart that is throttled.
 *
 * Class n is meant for tier n: of several idle harts a woken fiber gets the one whose class is nearest its tier.  Where all
 * harts are of one class, as a rule, nothing of that costs anything.
 */
#ifndef CRUCIBLE_H
#define CRUCIBLE_H

#include "hart.h"

/* This hart comes up; without the lock. */
void crucible_boot(struct hart *h);
/* It is idle; without the lock, interrupts stay off for as long as the work takes. */
void crucible_idle(struct hart *h);
/* It took `ticks`; with the lock. */
void crucible_note(struct hart *h, uint64_t ticks);

/* Are there harts of different classes? */
extern bool crucible_mixed;
/* Who is of each class. */
extern uint64_t crucible_class[NX_CLASSES];

#endif
