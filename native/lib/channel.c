/* Channels.  See nexus/channel.h. */
#include <nexus/cell.h>
#include <nexus/channel.h>
#include <nx_base.h>

static int attach(struct nx_ring *r, enum nx_ring_side side, unsigned slot)
{
    size_t size = 0;
    int e = 0;
    void *base = cell_map(slot, NX_PROT_R | NX_PROT_W, &size, &e);
    return base == NULL ? e : nx_ring_attach(r, side, base, size);
}

int channel_open(struct channel *ch, unsigned in_slot, unsigned out_slot)
{
    ch->in_slot = (uint8_t)in_slot;
    ch->out_slot = (uint8_t)out_slot;
    int e = attach(&ch->in, NX_RING_CONSUMER, in_slot);
    if (e == 0) {
        e = attach(&ch->out, NX_RING_PRODUCER, out_slot);
    }
    if (e == 0) {
        /* A predecessor may have died between publishing and ringing. */
        channel_bell_in(ch);
        channel_bell_out(ch);
    }
    return e;
}

static void detach(const struct nx_ring *r)
{
    if (r->own_end != NULL) {
        const uintptr_t base = (uintptr_t)r->own_end & ~(uintptr_t)(NX_RING_PAGE - 1);
        const uintptr_t end = (uintptr_t)r->buf + r->buf_size;
        nx_map_unmap(0, base, ALIGN_UP(end - base, NX_PAGE_SIZE));
    }
}

void channel_close(struct channel *ch)
{
    detach(&ch->in);
    detach(&ch->out);
    ch->in.own_end = ch->out.own_end = NULL;
}

/* Sleep until the peer moves its index of `r`, or until something else wakes us. */
static int wait(struct nx_ring *r, unsigned slot, uint64_t deadline)
{
    int n = nx_ring_sleep_prepare(r);
    if (n != 0) {
        return n < 0 ? n : 0;
    }
    long e = nx_recv_wait(1ul << slot, deadline);
    nx_ring_sleep_cancel(r);
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
