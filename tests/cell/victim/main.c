/* Test cell: the peer of tests/cell/hostile.  Serves "victim" (victim.h) and must survive whatever is
 * done to its rings: a broken one is noticed, said in the log and reported to the supervisor, who makes
 * the channel anew.
 */
#include "victim.h"

#include <manifest/victim.h>
#include <nexus/cell.h>
#include <nexus/channel.h>
#include <nexus/exit.h>

#define PATIENCE_MS 5000

_Static_assert(RING_SLOTS_CLIENT == VICTIM_SLOTS, "what its clients count on");

static struct channel client;

static _Noreturn void report_peer(void)
{
    cell_exit(NEXUS_EXIT_PEER | SLOT_CLIENT_RX);
}

static void answer(const struct nx_slot *request, uint64_t result)
{
    struct nx_slot slot = {
        .type = request->type, .flags = NX_SLOT_REPLY, .cookie = request->cookie};
    slot.word[0] = result;
    int e = channel_send(&client, &slot, cell_now() + cell_ticks_of_ms(PATIENCE_MS));
    if (e != 0) {
        cell_log("not ok the answer cannot be sent: error %d", -e);
        report_peer();
    }
}

/* The shared buffer is the client's to change at any time, its offset and length came in a copy. */
static uint64_t sum(const struct nx_slot *request)
{
    const volatile uint8_t *at = nx_ring_buf(&client.in, request->buf_off, request->buf_len);
    uint64_t total = 0;
    if (at == NULL) {
        return (uint64_t)-NX_EINVAL;
    }
    for (uint32_t i = 0; i < request->buf_len; i++) {
        total += at[i];
    }
    return total;
}

static _Noreturn void wait_for_foul_play(const struct nx_slot *request)
{
    char name[NX_RING_PAYLOAD + 1] = {0};
    for (unsigned i = 0; i < NX_RING_PAYLOAD; i++) {
        name[i] = (char)request->payload[i];
    }
    uint64_t end = cell_now() + cell_ticks_of_ms(PATIENCE_MS);
    while (cell_now() < end) {
        int in = nx_ring_pending(&client.in, 1);
        int out = nx_ring_space(&client.out, VICTIM_SLOTS + 1); /* looks at the shared index */
        if (in == -NX_EPEER || out == -NX_EPEER) {
            /* From now on the broken ring answers nothing else. */
            struct nx_slot slot = {0};
            if ((in < 0 && nx_ring_pop(&client.in, &slot) != -NX_EPEER) ||
                (out < 0 && nx_ring_push(&client.out, &slot) != -NX_EPEER)) {
                break;
            }
            cell_log("ok %s", name);
            report_peer();
        }
        nx_tick_sleep(cell_now() + cell_ticks_of_ms(1));
    }
    cell_log("not ok %s: not noticed", name);
    report_peer();
}

int cell_main(const struct nx_cellinfo *info)
{
    int e = channel_open(&client, SLOT_CLIENT_RX, SLOT_CLIENT_TX);
    if (e == -NX_EPEER || e == -NX_EINVAL) {
        cell_log("ok a broken channel is not opened (error %d)", -e);
        report_peer();
    }
    if (e != 0) {
        cell_panic("channel: error %d", -e);
    }
    for (;;) {
        struct nx_slot request;
        e = channel_receive(&client, &request, NX_NEVER);
        if (e != 0) {
            cell_log("not ok the client broke the ring: error %d", -e);
            report_peer();
        }
        switch (request.type) {
        case VICTIM_ECHO:
            answer(&request, request.word[0]);
            break;
        case VICTIM_BYTES:
            answer(&request, sum(&request));
            break;
        case VICTIM_WAIT:
            answer(&request, 0);
            wait_for_foul_play(&request);
        case VICTIM_DIE:
            answer(&request, 0);
            nx_tick_sleep(cell_now() +
                          cell_ticks_of_ms(50)); /* time to forge before the next life */
            cell_exit(VICTIM_DIED);
        default:
            answer(&request, (uint64_t)-NX_EINVAL);
        }
    }
}
