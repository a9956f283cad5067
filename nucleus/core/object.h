/* What all objects that capabilities name have in common. */
#ifndef OBJECT_H
#define OBJECT_H

#include "quota.h"

#include <nx/types.h>
#include <stdbool.h>
#include <stdint.h>

struct cell;

struct object {
    uint32_t type;       /* enum nx_type */
    uint32_t refs;       /* capabilities and users inside the nucleus */
    uint64_t epoch;      /* bumped by revoke; a capability of another epoch is dead */
    struct quota *quota; /* charged for it */
    uint32_t held;       /* of the audit: capabilities found to it */
    bool counted;        /* against the quota's objects */
};

/* Who hears when an object fires: bit `slot` of the cell's pending mask is set. */
struct listener {
    struct cell *cell; /* NULL: nobody; emptied when the cell ends */
    uint32_t slot;
};

/* A cell makes it: one more of its quota's objects, until its end. */
bool object_may_count(const struct quota *q);
void object_count(struct object *o);
void object_ref(struct object *o);
void object_unref(struct object *o); /* destroys it with the last reference */

#endif
