/* Test cell: answers every message of interface "echo" with the same words.  The other half of
 * tests/cell/ringclient, which measures.
 */
#include <manifest/ringserver.h>
#include <nexus/cell.h>
#include <nexus/channel.h>
#include <nx_base.h>

/* Messages that are there, at least one and at most n, with one look at each ring's end. */
static inline __attribute__((always_inline)) void answer(struct nx_ring *in, struct nx_ring *out,
                                                         uint32_t n)
{
    uint32_t i = 0;
    do {
        const volatile struct nx_slot *from = nx_ring_slot(in, i);
        volatile struct nx_slot *to = nx_ring_slot(out, i);
        to->cookie = from->cookie;
        to->word[0] = from->word[0];
        i++;
    } while (__builtin_expect(i != n, 0));
    nx_ring_release(in, n);
    nx_ring_commit(out, n);
}

/* Where the client visits. Mostly it has one message. */
static void visited(struct channel *ch)
{
    int n = nx_ring_pending_now(&ch->in);
    do {
        if (n <= 0 || nx_ring_space(&ch->out, 1) <= 0) {
            return;
        }
        const volatile struct nx_slot *from = nx_ring_slot(&ch->in, 0);
        volatile struct nx_slot *to = nx_ring_slot(&ch->out, 0);
        const uint32_t cookie = from->cookie;
        const uint64_t word = from->word[0];
        nx_ring_release(&ch->in, 1);
        to->cookie = cookie;
        to->word[0] = word;
        nx_ring_commit(&ch->out, 1);
    } while (__builtin_expect(--n != 0, 0));
}

/* Where nobody comes in: the handles can be in registers. */
static _Noreturn __attribute__((noinline)) void serve(const struct channel *ch)
{
    struct nx_ring in = ch->in, out = ch->out;
    for (;;) {
        /* Announce sleep first: it looks at the ring again, and a client that waits for its answer has
         * sent nothing more. */
        int n = nx_ring_sleep_prepare(&in);
        if (n == 0) {
            (void)nx_recv_wait(1ul << SLOT_CLIENT_RX, NX_NEVER);
            n = nx_ring_pending(&in, 1);
        }
        const int room = n > 0 ? nx_ring_space(&out, 1) : n;
        if (__builtin_expect(room > 0, 1)) {
            answer(&in, &out, (uint32_t)NX_MIN(n, room));
            if (nx_ring_needs_bell(&out)) {
                nx_send_bell(SLOT_CLIENT_TX);
            }
        } else if (room < 0) {
            cell_panic("the client broke a ring: error %d", -room);
        }
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    struct channel ch;
    int e = channel_open(&ch, SLOT_CLIENT_RX, SLOT_CLIENT_TX);
    if (e != 0) {
        cell_panic("channel: error %d", -e);
    }
    if (NX_TABLE->visit != NULL) {
        e = channel_attend(&ch, visited);
        cell_panic("the client broke a ring: error %d", -e);
    }
    serve(&ch);
}
