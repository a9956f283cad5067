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

/* ---- visits: a call without a switch
 *
 * When both cells are fused and the server waits, the client's own fiber can run the server's handler: in the server's address
 * space, with interrupts off, in less than half the time of two switches. Messages and answers are in the rings as ever, and
 * in every other case - one of the cells is isolated, the server is at work, or ran last on another hart - client and server ring
 * and wait as ever. So a server writes one handler, and knows nothing of who runs it. */

/* Takes messages from ch->in and puts answers into ch->out, as many as there are and there is room for; the rest stays.
 * It is short and bounded, for nothing else happens on that hart meanwhile; it makes no call of the nucleus and calls nothing that does
 * (no bells, no log, no heap, no clock); it has the stack of who serves. Otherwise its cell ends. An error stays in the ring's
 * handle, where channel_attend() finds it. */
typedef void channel_handler(struct channel *ch);

/* Server: answer by the handler, here or in a visit, and wait in between, for ever. -NX_EPEER: the client's index is impossible;
 * -NX_EBADF: the ring was revoked. */
int channel_attend(struct channel *ch, channel_handler *handler);

/* Client, who keeps handles in registers: run the handler of who serves the ring of that slot. 0; -NX_EBUSY: not now, so ring, as for what it has left in the ring;
 * -NX_EPEER: its cell has ended over it. Who takes the answers is the calling fiber: nobody else is woken for them. */
static inline long channel_enter(unsigned out_slot)
{
    long (*const visit)(uint64_t) = NX_TABLE->visit;
    return visit != NULL ? visit(out_slot) : -NX_EBUSY;
}

/* Client: after commit or push on `out`, in place of channel_bell_out(): the server answers now, if it can be visited; else it
 * is rung for. 0: it has taken all; -NX_EBUSY: it has not, wait for it; -NX_EPEER: its cell has ended over it. */
static inline int channel_visit(struct channel *ch)
{
    long e = channel_enter(ch->out_slot);
    if (e == 0 && nx_ring_load_(&ch->out.peer_end->index) != ch->out.own) {
        e = -NX_EBUSY; /* it has left something, which is for its own fiber */
    }
    if (e == -NX_EBUSY) {
        channel_bell_out(ch);
    }
    return (int)e;
}

/* Client: send a message and wait for the answer, which replaces it, by a visit if that can be: 0, or the errors of
 * channel_receive(); -NX_EPEER as well when the server's cell has ended over it. With one message under way at a time. */
int channel_call(struct channel *ch, struct nx_slot *m, uint64_t deadline);

/* Wait until a message comes and take it: 0, -NX_ETIME when the deadline passes first, -NX_EPEER: the peer's index is impossible;
 * -NX_EBADF: the ring was revoked. */
int channel_receive(struct channel *ch, struct nx_slot *slot, uint64_t deadline);

/* Put a message, waiting for room: 0, -NX_ETIME, -NX_EPEER, -NX_EBADF. */
int channel_send(struct channel *ch, const struct nx_slot *slot, uint64_t deadline);

#endif
