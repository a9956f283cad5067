/* Test cell: a native client that has its server looked after (nexus/complaint.h).  Says which life of it answered, and
 * how often it complained. */
#include "../mute/mute.h"

#include <manifest/mutecaller.h>
#include <nexus/call.h>
#include <nexus/cell.h>
#include <nexus/complaint.h>

#define PATIENCE_MS 700u

int cell_main(const struct nx_cellinfo *info)
{
    static struct nexus_client mute;
    static struct nexus_call call = {.request.slot = {.type = MUTE_ASK}};
    unsigned complaints = 0, doubts = 0;
    uint64_t patience = PATIENCE_MS;
    int e = client_open(&mute, SLOT_MUTE);
    if (e != 0) {
        cell_no_channel(SLOT_MUTE, "mute", e);
    }
    while ((e = client_call(&mute, &call, cell_now() + cell_ticks_of_ms(patience))) != 0) {
        const int said = e == -NX_ETIME ? client_complain(&mute) : client_doubt(&mute);
        complaints += e == -NX_ETIME;
        doubts += e != -NX_ETIME;
        if (said != 0 || complaints + doubts > 20) {
            cell_panic("it does not answer, error %d; nobody hears: %d", -e, said);
        }
        patience += PATIENCE_MS;
        if (e != -NX_ETIME) {
            cell_sleep_ms(PATIENCE_MS); /* the word takes a moment, and so does a life */
        }
    }
    cell_log("served by life %u after %u complaints and %u doubts, %u strays", call.reply.word32[1],
             complaints, doubts, mute.strays);
    return 0;
}
