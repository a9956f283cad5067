/* See place.h. */
#include "place.h"

#include "crucible.h"
#include "sched.h"

#include <nx_base.h>

uint64_t place_idle, place_line[NX_TIERS];

/* The best tier that is at work or ready on a hart: what is of a better one runs there at once, or when
 * the program is entered again; NX_TIERS: none. */
static unsigned hart_tier(const struct hart *h)
{
    unsigned running = NX_TIERS;
    if (h->fiber != NULL) {
        /* Another hart may just be entering foreign mode, past its look at the queues. */
        running = fiber_tier(h->fiber, h != this_hart() || h->foreign != NULL);
    }
    return h->ready != 0 ? NX_MIN(running, first_tier(h->ready)) : running;
}

/* Of these harts one that is nearest to what the tier is for, the last one if it is as near. */
static struct hart *fitting(uint64_t idle, const struct hart *last, unsigned tier)
{
    for (unsigned off = 0; off < NX_CLASSES; off++) {
        uint64_t set = 0;
        if (off <= tier) {
            set |= crucible_class[tier - off];
        }
        if (tier + off < NX_CLASSES) {
            set |= crucible_class[tier + off];
        }
        set &= idle;
        if (set != 0) {
            return &harts[(set & last->bit) != 0 ? last->index : nx_ctz64(set)];
        }
    }
    return NULL;
}

struct hart *place(struct fiber *f)
{
    struct hart *me = this_hart(), *last = f->hart->online ? f->hart : me, *best = last;
    const unsigned mine = fiber_tier(f, f->in_foreign);
    if (f->period != 0) {
        return last;
    }
    uint64_t idle = place_idle & ~0ul >> (64 - hart_count);
    if ((idle & last->bit) != 0 && !crucible_mixed) {
        return last;
    }
    if (last != me) {
        idle &= ~me->bit;
    }
    if (idle != 0) {
        return crucible_mixed ? fitting(idle, last, mine) : &harts[nx_ctz64(idle)];
    }
    unsigned worst = hart_tier(last), next = last->index;
    if (mine < worst) {
        return last;
    }
    for (unsigned i = NX_MIN(hart_count - 1, PLACE_LOOK); i > 0; i--) {
        next = next + 1 < hart_count ? next + 1 : 0;
        struct hart *h = &harts[next];
        if (h->online && h->fiber != NULL && hart_tier(h) > NX_MAX(mine, worst)) {
            best = h;
            worst = hart_tier(h);
        }
    }
    return best;
}

struct fiber *place_work(void)
{
    for (unsigned t = 0; t < NX_TIERS; t++) {
        for (uint64_t set = place_line[t] & ~0ul >> (64 - hart_count); set != 0; set &= set - 1) {
            struct hart *h = &harts[nx_ctz64(set)];
            sched_settle(h);
            if ((h->ready >> t & 1) == 0) {
                place_line[t] &= ~h->bit; /* paid for when it was noted */
                continue;
            }
            list_for_each(n, &h->queue[t])
            {
                struct fiber *f = list_entry(n, struct fiber, queue_link);
                if (f->period == 0) {
                    return f;
                }
            }
        }
    }
    return NULL;
}
