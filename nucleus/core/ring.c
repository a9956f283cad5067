/* Ring objects.  See ring.h. */
#include "ring.h"

#include "cell.h"
#include "event.h"
#include "mem.h"
#include "pool.h"

#include <arch.h>
#include <nx/ring.h>
#include <nx_base.h>

static struct pool rings = POOL("ring", struct ring);
uint32_t ring_count;

static struct nx_ring_region *region(const struct ring *r)
{
    return arch_phys(mem_page(r->mem, 0));
}

struct ring *ring_make(struct quota *q, uint64_t slots, uint64_t bufpages)
{
    if (!nx_is_pow2(slots) || slots < NX_RING_SLOTS_MIN || slots > NX_RING_SLOTS_MAX ||
        bufpages > 1024 || !quota_charge(q, sizeof(struct ring), 0)) {
        return NULL;
    }
    struct ring *r = pool_alloc(&rings);
    if (r == NULL) {
        quota_credit(q, sizeof(struct ring));
        return NULL;
    }
    ring_count++;
    r->obj = (struct object){.type = NX_T_RING, .refs = 1, .quota = q};
    uint64_t head = ALIGN_UP(NX_RING_SLOTS_OFF + slots * sizeof(struct nx_slot), NX_PAGE_SIZE);
    r->mem = mem_make(q, head / NX_PAGE_SIZE + bufpages, false);
    if (r->mem == NULL) {
        object_unref(&r->obj);
        return NULL;
    }
    r->generation[0] = r->generation[1] = 1;
    region(r)->constant = (struct nx_ring_const){
        .magic = NX_RING_MAGIC,
        .version = NX_RING_VERSION,
        .slots = (uint32_t)slots,
        .buf_off = (uint32_t)head,
        .buf_size = (uint32_t)(bufpages * NX_PAGE_SIZE),
        .generation = {1, 1},
    };
    return r;
}

void ring_destroy(struct ring *r)
{
    if (r->mem != NULL) {
        object_unref(&r->mem->obj);
    }
    quota_credit(r->obj.quota, sizeof(struct ring));
    pool_free(&rings, r);
    ring_count--;
}

/* Does the capability that listens at a side name that side still? */
static bool is_good(const struct ring *r, unsigned side)
{
    const struct listener *at = &r->end[side];
    if (at->cell == NULL) {
        return false;
    }
    const struct cap *cap = &at->cell->caps[at->slot];
    const uint32_t rights = cap->rights & (NX_R_SEND | NX_R_RECV);
    return cap->epoch == r->obj.epoch &&
           (side == NX_RING_PRODUCER ? (rights & NX_R_SEND) != 0 : rights == NX_R_RECV);
}

/* Capabilities to it are no longer what they were: no short ways. */
static void ring_part(struct ring *r)
{
    for (unsigned side = 0; side < 2; side++) {
        if (r->end[side].cell != NULL) {
            r->end[side].cell->peer[r->end[side].slot].cell = NULL;
            r->end[side].cell->open[r->end[side].slot] = NULL;
        }
    }
}

void ring_revoked(struct ring *r)
{
    ring_part(r);
    for (unsigned side = 0; side < 2; side++) {
        event_signal(&r->end[side]);
    }
}

/* Who listens at one end knows who does at the other. */
static void introduce(struct ring *r)
{
    for (unsigned side = 0; side < 2; side++) {
        if (is_good(r, side)) {
            r->end[side].cell->peer[r->end[side].slot] = r->end[1 - side];
        }
    }
}

void ring_listen(struct ring *r, struct cell *c, unsigned slot, uint32_t rights)
{
    ring_part(r);
    if ((rights & NX_R_SEND) != 0) {
        r->end[NX_RING_PRODUCER] = (struct listener){.cell = c, .slot = slot};
    } else if ((rights & NX_R_RECV) != 0) {
        r->end[NX_RING_CONSUMER] = (struct listener){.cell = c, .slot = slot};
    }
    introduce(r);
}

void ring_unlisten(struct ring *r, struct cell *c, unsigned slot)
{
    for (unsigned side = 0; side < 2; side++) {
        if (r->end[side].cell == c && r->end[side].slot == slot) {
            ring_part(r);
            r->end[side].cell = NULL;
            /* Whoever takes this side next is another life: the peer sees that and looks again. */
            region(r)->constant.generation[side] = ++r->generation[side];
            event_signal(&r->end[1 - side]);
        }
    }
}
