/* Test cell: says that it lives, and waits to be ended.  See tests/cell/spawner. */
#include <manifest/spawned.h>
#include <nexus/cell.h>
#include <nexus/channel.h>

int cell_main(const struct nx_cellinfo *info)
{
    struct channel ch;
    const struct nx_slot hello = {.type = 1, .word[0] = info->arg};
    int e = channel_open(&ch, SLOT_SPAWNER_RX, SLOT_SPAWNER_TX);
    e = e == 0 ? channel_send(&ch, &hello, NX_NEVER) : e;
    if (e != 0) {
        cell_panic("no channel: error %d", -e);
    }
    nx_recv_wait(0, NX_NEVER);
    return 0;
}
