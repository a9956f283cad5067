/* Test cell: answers, every second time after having slept and else after having looked for the question all the time.  See
 * tests/cell/lendclient.
 */
#include <manifest/lendserver.h>
#include <nexus/cell.h>
#include <nexus/channel.h>

int cell_main(const struct nx_cellinfo *info)
{
    struct channel ch;
    struct nx_slot slot;
    int e = channel_serve(&ch, SLOT_CLIENT_RX, SLOT_CLIENT_TX);
    if (e != 0) {
        cell_panic("channel: error %d", -e);
    }
    for (unsigned n = 0;; n++) {
        e = n % 2 == 0 ? channel_receive(&ch, &slot, NX_NEVER) : -NX_EEMPTY;
        while (e == -NX_EEMPTY) {
            e = nx_ring_pop(&ch.in, &slot);
        }
        for (unsigned i = 0; i < 100000; i++) {
            __asm__ volatile("");
        }
        if (e != 0 || channel_send(&ch, &slot, NX_NEVER) != 0) {
            cell_panic("the client broke the ring: error %d", -e);
        }
    }
}
