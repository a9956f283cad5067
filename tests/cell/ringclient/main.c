/* Test cell: what rings cost, in instructions (meaningful under qemu -icount shift=0).
 *
 * Logs its figures (tests/cell/figure.h).
 */
#include "../figure.h"

#include <manifest/ringclient.h>
#include <nexus/cell.h>
#include <nexus/channel.h>

#define ROUNDS 1000u

void strands(void);

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

static inline __attribute__((always_inline)) void call(struct channel *ch, uint64_t word)
{
    if (nx_ring_space(&ch->out, 1) <= 0) {
        cell_panic("ring full");
    }
    volatile struct nx_slot *out = nx_ring_slot(&ch->out, 0);
    out->cookie = (uint32_t)word;
    out->word[0] = word;
    nx_ring_commit(&ch->out, 1);
    channel_bell_out(ch);
    for (;;) {
        int n = nx_ring_pending(&ch->in, 1);
        if (n > 0) {
            break;
        }
        if (nx_ring_sleep_prepare(&ch->in) == 0) {
            (void)nx_recv_wait(1ul << SLOT_SERVER_RX, NX_NEVER);
            nx_ring_sleep_cancel(&ch->in);
        }
    }
    uint64_t back = nx_ring_slot(&ch->in, 0)->word[0];
    nx_ring_release(&ch->in, 1);
    if (back != word) {
        cell_panic("wrong answer");
    }
}

static void round_trip(void)
{
    struct channel ch;
    int e = channel_open(&ch, SLOT_SERVER_RX, SLOT_SERVER_TX);
    if (e != 0) {
        cell_panic("channel: error %d", -e);
    }
    for (uint32_t i = 0; i < 16; i++) {
        call(&ch, i);
    }
    uint64_t start = instructions();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        call(&ch, i);
    }
    figure("ring-round-trip", instructions() - start, ROUNDS);
}

int cell_main(const struct nx_cellinfo *info)
{
    push_pop();
    strands();
    round_trip();
    cell_log("figures done");
    return 0;
}
