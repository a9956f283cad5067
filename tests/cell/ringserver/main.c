/* Test cell: answers every message of interface "echo" with the same words.  The other half of
 * tests/cell/ringclient, which measures.
 */
#include <manifest/ringserver.h>
#include <nexus/cell.h>
#include <nexus/channel.h>

/* The n messages that are there, at least one: how many could be answered. */
static inline __attribute__((always_inline)) int answer(struct nx_ring *in, struct nx_ring *out, int n)
{
    const int room = nx_ring_space(out, (uint32_t)n);
    if (__builtin_expect(room < n, 0)) {
        n = room;
    }
    for (int i = 0; i < n; i++) {
        const volatile struct nx_slot *from = nx_ring_slot(in, (uint32_t)i);
        volatile struct nx_slot *to = nx_ring_slot(out, (uint32_t)i);
        to->cookie = from->cookie;
        to->word[0] = from->word[0];
    }
    if (__builtin_expect(n > 0, 1)) {
        nx_ring_release(in, (uint32_t)n);
        nx_ring_commit(out, (uint32_t)n);
    }
    return n;
}

int cell_main(const struct nx_cellinfo *info)
{
    struct channel ch;
    int e = channel_open(&ch, SLOT_CLIENT_RX, SLOT_CLIENT_TX);
    if (e != 0) {
        cell_panic("channel: error %d", -e);
    }
    struct nx_ring in = ch.in, out = ch.out;
    for (;;) {
        /* Announce sleep first: it looks at the ring again, and a client that waits for its answer has
         * sent nothing more. */
        int n = nx_ring_sleep_prepare(&in);
        if (n == 0) {
            (void)nx_recv_wait(1ul << SLOT_CLIENT_RX, NX_NEVER);
            n = nx_ring_pending(&in, 1);
        }
        if (n > 0 && answer(&in, &out, n) > 0) {
            if (nx_ring_needs_bell(&out)) {
                nx_send_bell(SLOT_CLIENT_TX);
            }
        } else if (n < 0) {
            cell_panic("the client broke the ring: error %d", -n);
        }
    }
}
