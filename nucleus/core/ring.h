/* ring: shared pages of one direction of a channel, and who is told about its doorbell.
 *
 * The protocol inside the pages is nx/ring.h; the nucleus only writes the constants and generations.
 */
#ifndef RING_H
#define RING_H

#include "object.h"

struct mem;

struct ring {
    struct object obj;
    struct mem *mem;
    struct listener end[2]; /* producer, consumer */
    uint32_t generation[2];
};

struct ring *ring_make(struct quota *q, uint64_t slots, uint64_t bufpages);
void ring_destroy(struct ring *r);
/* A capability to it came to or left a cell's slot.  Rights tell the side: SEND producer, RECV consumer. */
void ring_listen(struct ring *r, struct cell *c, unsigned slot, uint32_t rights);
void ring_unlisten(struct ring *r, struct cell *c, unsigned slot);
/* Capabilities to it are dead: who listens is woken once more, to find that out. */
void ring_revoked(struct ring *r);
/* Who is told when the side with these rights rings. */
static inline const struct listener *ring_peer(const struct ring *r, uint32_t rights)
{
    return &r->end[(rights & NX_R_SEND) != 0 ? 1 : 0];
}
extern uint32_t ring_count;

#endif
