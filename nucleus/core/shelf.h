/* shelf: a place to keep capabilities to memory and rings that are not in use now.
 *
 * A cell's 64 slots are for what it uses; who hands out what others use - the supervisor - keeps that
 * on a shelf.  Nobody listens with a capability on a shelf.  Only what cannot hold capabilities itself
 * goes there, so shelves and cells never keep one another alive. */
#ifndef SHELF_H
#define SHELF_H

#include "cap.h"

struct shelf {
    struct object obj;
    struct cap cap[NX_SHELF_PLACES];
};

struct shelf *shelf_make(struct quota *q);
void shelf_destroy(struct shelf *s);
/* Put the object into an empty place, with its epoch of now: 0, -NX_EBADF, -NX_EBUSY. */
int shelf_put(struct shelf *s, uint64_t place, struct object *o, uint32_t rights);
/* What is in a place, if it is not revoked, else NULL. */
const struct cap *shelf_live(const struct shelf *s, uint64_t place);
/* Empty a place: 0, or -NX_EBADF when nothing is there. */
int shelf_clear(struct shelf *s, uint64_t place);

#endif
