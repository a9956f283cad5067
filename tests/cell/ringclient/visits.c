/* What a ring round trip costs where both cells are fused: the server's handler runs on our fiber (nexus/channel.h). */
#include "ringclient.h"

#include "../figure.h"

/* `count` messages with one visit, and as many answers.  A server that could not be visited is rung for. */
static inline __attribute__((always_inline)) void visit(struct nx_ring *out, struct nx_ring *in,
                                                        long (*enter)(uint64_t), uint64_t word,
                                                        uint32_t count)
{
    if (nx_ring_space(out, count) < (int)count) {
        cell_panic("ring full");
    }
    for (uint32_t i = 0; i < count; i++) {
        volatile struct nx_slot *slot = nx_ring_slot(out, i);
        slot->cookie = (uint32_t)word + i;
        slot->word[0] = word + i;
    }
    nx_ring_commit(out, count);
    if (__builtin_expect(enter(SLOT_SERVER_TX) != 0, 0) && nx_ring_needs_bell(out)) {
        nx_send_bell(SLOT_SERVER_TX);
    }
    for (uint32_t i = 0; i < count;) {
        int n = nx_ring_pending_now(in);
        if (__builtin_expect(n <= 0, 0)) {
            if (nx_ring_needs_bell(out)) { /* for what was left */
                nx_send_bell(SLOT_SERVER_TX);
            }
            n = (int)wait(in);
        }
        n = count == 1 ? 1 : NX_MIN(n, (int)(count - i));
        for (uint32_t k = 0; k < (uint32_t)n; k++, i++) {
            if (nx_ring_slot(in, k)->word[0] != word + i) {
                cell_panic("wrong answer");
            }
        }
        nx_ring_release(in, (uint32_t)n);
    }
}

static inline __attribute__((always_inline)) uint64_t visits(struct channel *ch, uint64_t rounds,
                                                             uint32_t count)
{
    struct nx_ring in = ch->in, out = ch->out;
    long (*const enter)(uint64_t) = NX_TABLE->visit;
    const uint64_t start = instructions();
    for (uint64_t i = 0; i < rounds; i++) {
        visit(&out, &in, enter, i, count);
    }
    const uint64_t all = instructions() - start;
    ch->in = in;
    ch->out = out;
    return all;
}

uint64_t visited_round_trips(struct channel *ch, uint64_t rounds)
{
    return visits(ch, rounds, 1);
}

uint64_t visited_batches(struct channel *ch, uint64_t rounds)
{
    return visits(ch, rounds, BATCH);
}
