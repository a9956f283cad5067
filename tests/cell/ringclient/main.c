/* Test cell: what rings cost, in instructions (meaningful under qemu -icount shift=0).
 *
 * Logs its figures (tests/cell/figure.h).
 */
#include "ringclient.h"

#include "../figure.h"

#define ROUNDS 1000u

/* One ring, both sides here: what a message costs without anybody asleep. */
static void push_pop(void)
{
    struct nx_ring in, out;
    size_t size;
    if (nx_make_ring(10, 64, 0) < 0) {
        cell_panic("no ring");
    }
    void *at = cell_map(10, NX_PROT_R | NX_PROT_W, &size, NULL);
    if (at == NULL || nx_ring_attach(&out, NX_RING_PRODUCER, at, size) != 0 ||
        nx_ring_attach(&in, NX_RING_CONSUMER, at, size) != 0) {
        cell_panic("ring does not attach");
    }
    uint64_t start = instructions();
    uint64_t sum = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < 32; i++) {
            if (nx_ring_space(&out, 1) <= 0) {
                cell_panic("ring full");
            }
            nx_ring_slot(&out, 0)->word[0] = i;
            nx_ring_commit(&out, 1);
        }
        for (uint32_t i = 0; i < 32; i++) {
            if (nx_ring_pending(&in, 1) <= 0) {
                cell_panic("ring empty");
            }
            sum += nx_ring_slot(&in, 0)->word[0];
            nx_ring_release(&in, 1);
        }
    }
    uint64_t total = instructions() - start;
    if (sum != ROUNDS * (31 * 32 / 2)) {
        cell_panic("ring lost something");
    }
    figure("ring-push-pop", total, ROUNDS * 32);

    struct nx_slot slot = {.type = 1};
    start = instructions();
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (uint32_t i = 0; i < 32; i++) {
            slot.word[0] = i;
            if (nx_ring_push(&out, &slot) != 0) {
                cell_panic("ring full");
            }
        }
        for (uint32_t i = 0; i < 32; i++) {
            if (nx_ring_pop(&in, &slot) != 0) {
                cell_panic("ring empty");
            }
        }
    }
    figure("ring-push-pop-slot", instructions() - start, ROUNDS * 32);
}

/* `count` messages with one bell, and as many answers. */
static inline __attribute__((always_inline)) void call(struct nx_ring *out, struct nx_ring *in,
                                                       uint64_t word, uint32_t count)
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
    if (nx_ring_needs_bell(out)) {
        nx_send_bell(SLOT_SERVER_TX);
    }
    for (uint32_t i = 0; i < count;) {
        const uint32_t n = count == 1 ? (wait(in), 1) : NX_MIN(wait(in), count - i);
        for (uint32_t k = 0; k < n; k++, i++) {
            if (nx_ring_slot(in, k)->word[0] != word + i) {
                cell_panic("wrong answer");
            }
        }
        nx_ring_release(in, n);
    }
}

/* Instructions of so many calls. A function for each, so that the handles have its registers. */
static inline __attribute__((always_inline)) uint64_t calls(struct channel *ch, uint64_t rounds,
                                                            uint32_t count)
{
    struct nx_ring in = ch->in, out = ch->out;
    const uint64_t start = instructions();
    for (uint64_t i = 0; i < rounds; i++) {
        call(&out, &in, i, count);
    }
    const uint64_t all = instructions() - start;
    ch->in = in;
    ch->out = out;
    return all;
}

static __attribute__((noinline)) uint64_t round_trips(struct channel *ch, uint64_t rounds)
{
    return calls(ch, rounds, 1);
}

static __attribute__((noinline)) uint64_t batches(struct channel *ch, uint64_t rounds)
{
    return calls(ch, rounds, BATCH);
}

int cell_main(const struct nx_cellinfo *info)
{
    push_pop();
    strands();
    struct channel ch;
    const int e = channel_open(&ch, SLOT_SERVER_RX, SLOT_SERVER_TX);
    if (e != 0) {
        cell_panic("channel: error %d", -e);
    }
    cell_sleep_ms(2); /* until the server waits, as servers do */
    const bool fused = NX_TABLE->visit != NULL;
    uint64_t (*const one)(struct channel *, uint64_t) = fused ? visited_round_trips : round_trips;
    uint64_t (*const eight)(struct channel *, uint64_t) = fused ? visited_batches : batches;
    (void)one(&ch, 16);
    figure("ring-round-trip", one(&ch, ROUNDS), ROUNDS);
    figure("ring-batch", eight(&ch, ROUNDS), (uint64_t)ROUNDS * BATCH);
    cell_log("figures done");
    return 0;
}
