/* A channel: two rings between a client and a server, one per direction, as the supervisor grants them
 * for a SERVE or USE line of the manifest.
 *
 * The rings outlive both sides: after a restart a cell opens the same channel and goes on where its
 * predecessor stopped (nx/ring.h says what is then seen again).  A side is used by one fiber at a time.
 *
 * The fast path needs none of the functions below: fill with nx_ring_push(&ch.out, ...), then
 * channel_bell_out(); take with nx_ring_pop(&ch.in, ...), then channel_bell_in().  To wait for several
 * channels or for interrupts as well: nx_ring_sleep_prepare() on each, nx_recv_wait(),
 * nx_ring_sleep_cancel() on each.
 */
#ifndef NEXUS_CHANNEL_H
#define NEXUS_CHANNEL_H

#include <nx/ring.h>
#include <nx/sys.h>

struct channel {
    struct nx_ring in;  /* from the peer: we consume */
    struct nx_ring out; /* to the peer: we produce */
    uint8_t in_slot, out_slot;
};

/* Take our side of both rings.  The server of a SERVE line at slot n: in n, out n + 1; the client of a
 * USE line at slot n: in n + 1, out n.  0, or the nucleus' or the ring's error. */
int channel_open(struct channel *ch, unsigned in_slot, unsigned out_slot);

/* Unmap both rings; the channel is to be opened anew, or not used any more. */
void channel_close(struct channel *ch);

/* After commit or push on `out`: wake the peer when it sleeps. */
static inline void channel_bell_out(struct channel *ch)
{
    if (nx_ring_needs_bell(&ch->out)) {
        nx_send_bell(ch->out_slot);
    }
}

/* After release or pop on `in`: wake the peer when it waits for room. */
static inline void channel_bell_in(struct channel *ch)
{
    if (nx_ring_needs_bell(&ch->in)) {
        nx_send_bell(ch->in_slot);
    }
}

/* Wait until a message comes and take it: 0, -NX_ETIME when the deadline passes first, -NX_EPEER. */
int channel_receive(struct channel *ch, struct nx_slot *slot, uint64_t deadline);

/* Put a message, waiting for room: 0, -NX_ETIME, -NX_EPEER. */
int channel_send(struct channel *ch, const struct nx_slot *slot, uint64_t deadline);

#endif
