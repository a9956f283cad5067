/* Test cell: answers every message of interface "echo" with the same words.  The other half of
 * tests/cell/ringclient, which measures.
 */
#include <manifest/ringserver.h>
#include <nexus/cell.h>
#include <nexus/channel.h>

/* The n messages that are there. */
static inline void answer(struct channel *ch, int n)
{
    for (; n > 0 && nx_ring_space(&ch->out, 1) > 0; n--) {
        const volatile struct nx_slot *in = nx_ring_slot(&ch->in, 0);
        volatile struct nx_slot *out = nx_ring_slot(&ch->out, 0);
        out->cookie = in->cookie;
        out->word[0] = in->word[0];
        nx_ring_release(&ch->in, 1);
        nx_ring_commit(&ch->out, 1);
    }
    channel_bell_out(ch);
}

int cell_main(const struct nx_cellinfo *info)
{
    struct channel ch;
    int e = channel_open(&ch, SLOT_CLIENT_RX, SLOT_CLIENT_TX);
    if (e != 0) {
        cell_panic("channel: error %d", -e);
    }
    for (;;) {
        /* Announce sleep first: it looks at the ring again, and a client that waits for its answer has
         * sent nothing more. */
        int n = nx_ring_sleep_prepare(&ch.in);
        if (n == 0) {
            (void)nx_recv_wait(1ul << SLOT_CLIENT_RX, NX_NEVER);
            nx_ring_sleep_cancel(&ch.in);
        }
        n = nx_ring_pending(&ch.in, 1);
        if (n > 0) {
            answer(&ch, n);
        } else if (n < 0) {
            cell_panic("the client broke the ring: error %d", -n);
        }
    }
}
