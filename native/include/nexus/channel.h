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
    uint32_t faults, given_up; /* see channel_mend() */
};

/* Take our side of both rings.  The server of a SERVE line at slot n: in n, out n + 1; the client of a
 * USE line at slot n: in n + 1, out n.  0, or the nucleus' or the ring's error. */
int channel_open(struct channel *ch, unsigned in_slot, unsigned out_slot);
/* The same for a server, who waits a moment for its client to mend what a dead predecessor has damaged. */
int channel_serve(struct channel *ch, unsigned in_slot, unsigned out_slot);

/* ---- damage: for the client, which outlives its servers
 *
 * A server whose memory is damaged may leave impossible indices, and so may damage to the ring itself.  The
 * client knows its own; so it is the one who puts the rings in order. */

/* An index of the server's is impossible (-NX_EPEER): write our own words anew and wake the server,
 * who does the same when it goes to sleep; when that has not helped often enough, the rings are emptied
 * for the server's next life.  Look again afterwards.  False: not even that helps, so go to sleep. */
bool channel_mend(struct channel *ch);
/* The server's indices are possible. */
static inline void channel_well(struct channel *ch)
{
    ch->faults = ch->given_up = 0;
}
/* After a wake-up: when the server has another life, write our own words anew; and where the dead one
 * left impossible ones its own. */
void channel_greet(struct channel *ch);

/* After commit or push on `out`: wake the peer when it sleeps. */
static inline void channel_bell_out(struct channel *ch)
{
    if (nx_ring_needs_bell(&ch->out)) {
        nx_send_bell(ch->out_slot);
    }
}

/* Before waiting for an answer: when the peer is awake and needed no bell, ring it all the same. If it is of a worse tier than we and at work
 * on something else, it goes on in ours (docs/nucleus.md, Lending). */
static inline void channel_urge(struct channel *ch)
{
    if ((nx_ring_load_(&ch->out.peer_end->sleep) & 1) == 0) {
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
