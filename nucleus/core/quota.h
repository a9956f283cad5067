/* Quotas: what a cell's objects and pages are charged to.
 *
 * A quota outlives its cell while pages charged to it are still mapped elsewhere.
 */
#ifndef QUOTA_H
#define QUOTA_H

#include <stdbool.h>
#include <stdint.h>

struct quota {
    uint64_t limit; /* bytes */
    uint64_t used;
    bool taken;
    bool orphan; /* its cell is gone; free when used reaches 0 */
    uint32_t fibers, fibers_max;
    uint32_t spaces, spaces_max;
    uint32_t objects, objects_max; /* made by its cell: object_count */
    struct quota *parent; /* the maker's, which `limit` is taken out of; NULL: the machine's */
};

#define QUOTAS 256
extern struct quota quotas[QUOTAS];

struct quota *quota_make(uint64_t limit_bytes, uint32_t fibers_max, uint32_t spaces_max);
/* Make q a part of the quota `of` another cell: its limit is charged there until q is gone; what it may
 * make is at most what that may.  False: that has not got so much left. */
bool quota_part(struct quota *q, struct quota *of);
/* Its cell has ended. */
void quota_orphan(struct quota *q);
/* False, and nothing changed, when the bytes do not fit below limit - reserve. */
bool quota_charge(struct quota *q, uint64_t bytes, uint64_t reserve);
void quota_credit(struct quota *q, uint64_t bytes);
uint32_t quota_index(const struct quota *q);

#endif
