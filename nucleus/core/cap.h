/* Capabilities: 64 slots a cell, typed, with rights and the object's epoch. */
#ifndef CAP_H
#define CAP_H

#include "object.h"

#include <stddef.h>

struct cap {
    struct object *obj; /* NULL: empty */
    uint64_t epoch;
    uint32_t rights;
};

struct fiber;

/* The object behind a slot of the fiber's cell, if it has that type (NX_T_NONE: any) and the rights:
 * 0, -NX_EBADF or -NX_EPERM; a failure is recorded in the Boot Error Buffer. */
int cap_get(struct fiber *f, uint64_t slot, unsigned type, uint32_t rights, struct object **out);
/* The same without a record: for questions whose answer may well be no (does this cell have that?). */
int cap_peek(const struct fiber *f, uint64_t slot, unsigned type, uint32_t rights,
             struct object **out);
/* The capability itself when slot and epoch are good, else NULL and no record. */
static inline const struct cap *cap_live(const struct cap *caps, uint64_t capmask, uint64_t slot)
{
    if (slot >= NX_SLOTS || (capmask >> slot & 1) == 0) {
        return NULL;
    }
    const struct cap *cap = &caps[slot];
    return cap->obj != NULL && cap->epoch == cap->obj->epoch ? cap : NULL;
}
uint32_t cap_rights(const struct cell *c, uint64_t slot);
/* Put an object into an empty slot (takes a reference) / empty a slot. */
int cap_put(struct cell *c, uint64_t slot, struct object *o, uint32_t rights);
void cap_drop(struct cell *c, unsigned slot);
extern uint32_t cap_count;

#endif
