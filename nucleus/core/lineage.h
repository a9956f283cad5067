/* Lineages: who a cell is over all its lives.
 *
 * A cell the supervisor makes is a life of the lineage of its name.  One that another cell makes belongs to
 * that cell's: whatever it calls itself, it is not the service of that name, and finds none of its
 * checkpoints.  Generations of a lineage only rise, also when the supervisor that counts them is a new one
 * itself (soft restart, watchdog.h).
 */
#ifndef LINEAGE_H
#define LINEAGE_H

#include "cell.h"

/* A cell is made by `maker` (NULL: the nucleus), who calls this life `generation`: set its lineage, and its
 * generation to that or, when it is more, to one more than the one before of this lineage. */
void lineage_join(struct cell *c, const struct cell *maker, uint32_t generation);
bool lineage_same(const char *name, const char *line, const struct cell *c);

#endif
