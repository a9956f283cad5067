/* What the ring client's files share. */
#ifndef RINGCLIENT_H
#define RINGCLIENT_H

#include <manifest/ringclient.h>
#include <nexus/cell.h>
#include <nexus/channel.h>
#include <nx_base.h>

#define BATCH 8u

/* Two strands, and what they cost. */
void strands(void);
/* Instructions of so many calls by visits, of one message each and of BATCH. */
uint64_t visited_round_trips(struct channel *ch, uint64_t rounds);
uint64_t visited_batches(struct channel *ch, uint64_t rounds);

/* Sleep until there is an answer: how many there are. */
static inline __attribute__((always_inline)) uint32_t wait(struct nx_ring *in)
{
    int n;
    while ((n = nx_ring_pending(in, 1)) <= 0) {
        if (n < 0) {
            cell_panic("the server broke the ring");
        }
        if (nx_ring_sleep_prepare(in) == 0) {
            (void)nx_recv_wait(1ul << SLOT_SERVER_RX, NX_NEVER);
            nx_ring_sleep_cancel(in);
        }
    }
    return (uint32_t)n;
}

#endif
