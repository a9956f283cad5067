/* Channels of cells that serve programs (interfaces "ring.N", nexus/bus.h): mapped here, so that they can be
 * mapped into programs, who are the clients.  What is in them is between the two; the personality only
 * passes on bells. */
#include "devices.h"
#include "mb_int.h"

#include <nx_base.h>

void (*mb_ring_hook)(unsigned n);

static struct ring {
    struct mb_ring r;
    bool there;
} rings[MB_RINGS];

static unsigned slot_of(const struct ring *r)
{
    return MB_SLOT_RINGS + 3 * (unsigned)(r - rings);
}

static void work(void *ctx)
{
    if (mb_ring_hook != NULL) {
        mb_ring_hook((unsigned)((struct ring *)ctx - rings));
    }
}

void mb_rings_init(void)
{
    for (struct ring *r = rings; r < rings + MB_RINGS; r++) {
        const unsigned slot = slot_of(r), prot = NX_PROT_R | NX_PROT_W;
        r->r.out = cell_map(slot, prot, &r->r.out_size, NULL);
        r->r.in = r->r.out != NULL ? cell_map(slot + 1, prot, &r->r.in_size, NULL) : NULL;
        r->there = r->r.in != NULL;
        if (r->there) {
            r->r.pool = cell_map(slot + 2, prot, &r->r.pool_size, NULL);
            port_add(3ul << slot, r, work);
        }
    }
}

bool mb_ring_get(unsigned n, struct mb_ring *out)
{
    if (n >= MB_RINGS || !rings[n].there) {
        return false;
    }
    *out = rings[n].r;
    return true;
}

void mb_ring_bell(unsigned n, bool out)
{
    nx_send_bell(slot_of(&rings[n]) + !out);
}
