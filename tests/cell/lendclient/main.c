/* Test cell: a client of the best tier, whose server is of a bad one. Its log and that of tests/cell/lendhog tell in what order things happen
 * (tests/system/lend.py). In the second half it does without lending its tier.
 */
#include <manifest/lendclient.h>
#include <nexus/cell.h>
#include <nx/sys.h>
#include <nexus/channel.h>

#define ASKS 60u

int cell_main(const struct nx_cellinfo *info)
{
    struct channel ch;
    int e = channel_open(&ch, SLOT_SERVER_RX, SLOT_SERVER_TX);
    if (e != 0) {
        cell_panic("channel: error %d", -e);
    }
    nx_tick_sleep(cell_now() + cell_ticks_of_ms(200)); /* not while the system comes up */
    for (unsigned i = 0; i < ASKS; i++) {
        if (i == ASKS / 2) {
            nx_mask_rights(SLOT_SERVER_TX, ~(uint64_t)NX_R_LEND);
            cell_log("lends no more");
        }
        nx_tick_sleep(cell_now() + cell_ticks_of_ms(7));
        struct nx_slot slot = {.type = 1, .cookie = i};
        cell_log("asks %u", i);
        if (channel_send(&ch, &slot, NX_NEVER) != 0) {
            cell_panic("the server is lost");
        }
        channel_urge(&ch);
        if (channel_receive(&ch, &slot, NX_NEVER) != 0 || slot.cookie != i) {
            cell_panic("wrong answer");
        }
        cell_log("answered %u", i);
    }
    cell_log("ends");
    return 0;
}
