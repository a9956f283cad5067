/* Quotas: charge and credit.  See quota.h. */
#include "quota.h"

#include <nx_base.h>
#include <stddef.h>

struct quota quotas[QUOTAS];

struct quota *quota_make(uint64_t limit_bytes, uint32_t fibers_max, uint32_t spaces_max)
{
    for (unsigned i = 0; i < QUOTAS; i++) {
        struct quota *q = &quotas[i];
        if (!q->taken) {
            *q = (struct quota){
                .limit = limit_bytes,
                .taken = true,
                .fibers_max = fibers_max,
                .spaces_max = spaces_max,
            };
            return q;
        }
    }
    return NULL;
}

/* The end of a part is a credit to the whole, and may be the end of that. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as cells made cells
static void quota_maybe_free(struct quota *q)
{
    if (q->orphan && q->used == 0) {
        q->taken = false;
        if (q->parent != NULL) {
            quota_credit(q->parent, q->limit);
        }
    }
}

bool quota_part(struct quota *q, struct quota *of)
{
    if (!quota_charge(of, q->limit, 0)) {
        return false;
    }
    q->parent = of;
    q->fibers_max = NX_MIN(q->fibers_max, of->fibers_max);
    q->spaces_max = NX_MIN(q->spaces_max, of->spaces_max);
    q->objects_max = NX_MIN(q->objects_max, of->objects_max);
    return true;
}

void quota_orphan(struct quota *q)
{
    q->orphan = true;
    quota_maybe_free(q);
}

bool quota_charge(struct quota *q, uint64_t bytes, uint64_t reserve)
{
    uint64_t want;
    if (nx_add_overflow(q->used, bytes, &want) || nx_add_overflow(want, reserve, &reserve) ||
        reserve > q->limit) {
        return false;
    }
    q->used = want;
    return true;
}

void quota_credit(struct quota *q, uint64_t bytes)
{
    q->used -= bytes;
    quota_maybe_free(q);
}

uint32_t quota_index(const struct quota *q)
{
    return (uint32_t)(q - quotas);
}
