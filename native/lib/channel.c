/* Channels.  See nexus/channel.h. */
#include "wait.h"

#include <nexus/cell.h>
#include <nexus/channel.h>

#ifdef NX_HOST
#define pause_1ms() ((void)0)
#else
#define pause_1ms() wait_recv(0, cell_now() + cell_ticks_of_ms(1))
#endif

#define SERVE_TRIES 200u /* a millisecond each */
#define FAULTS_MAX 16u
#define GIVE_UP 4u

struct region {
    void *base;
    size_t size;
};

static int map(struct region *r, unsigned slot)
{
    int e = 0;
    r->base = cell_map(slot, NX_PROT_R | NX_PROT_W, &r->size, &e);
    return r->base == NULL ? e : 0;
}

/* Not inlined: it is long, and what a new life executes costs time when no cache knows it yet. */
static __attribute__((noinline)) int attach_end(struct nx_ring *ring, enum nx_ring_side side,
                                                const struct region *r)
{
    return nx_ring_attach(ring, side, r->base, r->size);
}

static int attach(struct channel *ch, const struct region *in, const struct region *out)
{
    int e = attach_end(&ch->in, NX_RING_CONSUMER, in);
    return e == 0 ? attach_end(&ch->out, NX_RING_PRODUCER, out) : e;
}

static int open_rings(struct channel *ch, unsigned in_slot, unsigned out_slot, unsigned tries)
{
    struct region in = {0}, out = {0};
    ch->in_slot = (uint8_t)in_slot;
    ch->out_slot = (uint8_t)out_slot;
    ch->faults = ch->given_up = 0;
    int e = map(&in, in_slot);
    e = e == 0 ? map(&out, out_slot) : e;
    if (e != 0) {
        return e;
    }
    while ((e = attach(ch, &in, &out)) != 0 && --tries > 0) {
        nx_send_bell(in_slot);
        nx_send_bell(out_slot);
        pause_1ms();
    }
    if (e == 0) {
        /* A predecessor may have died between publishing and ringing. */
        channel_bell_in(ch);
        channel_bell_out(ch);
    }
    return e;
}

int channel_open(struct channel *ch, unsigned in_slot, unsigned out_slot)
{
    return open_rings(ch, in_slot, out_slot, 1);
}

int channel_serve(struct channel *ch, unsigned in_slot, unsigned out_slot)
{
    return open_rings(ch, in_slot, out_slot, SERVE_TRIES);
}

bool channel_mend(struct channel *ch)
{
    const bool both = ++ch->faults >= FAULTS_MAX;
    if (ch->given_up >= GIVE_UP) {
        return false;
    }
    nx_ring_mend(&ch->in, both);
    nx_ring_mend(&ch->out, both);
    if (both) {
        ch->faults = 0;
        ch->given_up++;
    }
    nx_send_bell(ch->in_slot);
    nx_send_bell(ch->out_slot);
    return true;
}

void channel_greet(struct channel *ch)
{
    if (!nx_ring_peer_changed(&ch->in)) {
        return;
    }
    channel_well(ch);
    nx_ring_mend(&ch->in, false);
    nx_ring_mend(&ch->out, false);
    /* Who is dead puts nothing right, and who lives cannot attach to what is impossible. */
    if (nx_ring_pending(&ch->in, NX_RING_SLOTS_MAX) < 0) {
        nx_ring_mend(&ch->in, true);
    }
    if (nx_ring_space(&ch->out, NX_RING_SLOTS_MAX) < 0) {
        nx_ring_mend(&ch->out, true);
    }
}

/* Sleep until the peer moves its index of `r`, or until something else wakes us. */
static int wait(struct nx_ring *r, unsigned slot, uint64_t deadline)
{
    int n = nx_ring_sleep_prepare(r);
    if (n != 0) {
        return n < 0 ? n : 0;
    }
    long e = wait_recv(1ul << slot, deadline);
    nx_ring_sleep_cancel(r);
    if (e >=
        0) { /* who waits for a ring that is revoked is woken once: always ask whether that was it */
        e = nx_meta_size(slot);
    }
    return e < 0 ? (int)e : 0;
}

int channel_receive(struct channel *ch, struct nx_slot *slot, uint64_t deadline)
{
    int e = nx_ring_pop(&ch->in, slot);
    while (e == -NX_EEMPTY) {
        e = wait(&ch->in, ch->in_slot, deadline);
        if (e == 0) {
            e = nx_ring_pop(&ch->in, slot);
        }
    }
    if (e == 0) {
        channel_bell_in(ch);
    }
    return e;
}

int channel_send(struct channel *ch, const struct nx_slot *slot, uint64_t deadline)
{
    int e = nx_ring_push(&ch->out, slot);
    while (e == -NX_EFULL) {
        e = wait(&ch->out, ch->out_slot, deadline);
        if (e == 0) {
            e = nx_ring_push(&ch->out, slot);
        }
    }
    if (e == 0) {
        channel_bell_out(ch);
    }
    return e;
}

int channel_call(struct channel *ch, struct nx_slot *m, uint64_t deadline)
{
    int e = nx_ring_push(&ch->out, m);
    if (e == -NX_EFULL) {
        e = channel_send(ch, m, deadline);
    } else if (e == 0) {
        e = channel_visit(ch);
        e = e == -NX_EBUSY ? 0 : e;
    }
    return e == 0 ? channel_receive(ch, m, deadline) : e;
}

/* Sleep until the client rings for one of the two; meanwhile it may come in. Strands that wait want others to run. */
static long rest(struct channel *ch, channel_handler *handler)
{
    const uint64_t slots = 1ul << ch->in_slot | 1ul << ch->out_slot;
    return waiting == NULL && NX_TABLE->visit != NULL
               ? nx_recv_serve(slots, (uintptr_t)handler, (uintptr_t)ch)
               : wait_recv(slots, NX_NEVER);
}

int channel_attend(struct channel *ch, channel_handler *handler)
{
    for (;;) {
        handler(ch);
        channel_bell_out(ch);
        channel_bell_in(ch);
        int n = nx_ring_sleep_prepare(&ch->in);
        if (n >
            0) { /* a message that came meanwhile; or no room for its answer: then room is what we wait for */
            n = nx_ring_sleep_prepare(&ch->out);
        }
        if (n == 0) {
            rest(ch, handler);
            nx_ring_sleep_cancel(&ch->in);
            nx_ring_sleep_cancel(&ch->out);
            n = nx_ring_pending(&ch->in, 1);
            if (n == 0) { /* as in wait() */
                n = (int)nx_meta_size(ch->in_slot);
            }
        }
        if (n < 0) {
            return n;
        }
    }
}
