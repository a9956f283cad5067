/* Test cell: sends every frame it receives on frame.0 back to where it came from
 * (tests/system/drivers.py).  Says on the wire, too, when the driver is there: a broadcast of type
 * 0x88b5 whose payload is the number of the driver's life. */
#include <manifest/frameclient.h>
#include <nexus/cell.h>
#include <nexus/frame.h>
#include <nexus/session.h>
#include <nx/sys.h>
#include <string.h>

#define BUFFERS 32u
#define ROOM 2048u
#define HELLO_AT (BUFFERS * ROOM) /* in the pool, behind the buffers */

static struct nexus_client net;
static struct nexus_frame_hello config;
static struct nexus_request requests[BUFFERS], greeting;
static bool greeting_out;

static void submit(struct nexus_request *r)
{
    if (client_submit(&net, r) != 0) {
        cell_panic("the session is broken");
    }
}

static void receive(unsigned k)
{
    requests[k].slot.type = NEXUS_FRAME_RECEIVE;
    requests[k].slot.buf_off = k * ROOM;
    requests[k].slot.buf_len = ROOM;
    submit(&requests[k]);
}

static void done(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    const unsigned k = (unsigned)(r - requests);
    uint8_t *frame = net.pool + k * ROOM;
    const uint32_t len = result == 0 ? reply->word32[1] : 0;
    if (r->slot.type == NEXUS_FRAME_RECEIVE && len >= 14 && len <= ROOM) {
        memcpy(frame, frame + 6, 6);
        memcpy(frame + 6, config.mac, 6);
        r->slot.type = NEXUS_FRAME_SEND;
        r->slot.buf_len = len;
        submit(r);
    } else {
        receive(k); /* it left, or was lost: a network may, and a damaged driver may say anything */
    }
}

static void greeted(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    greeting_out = false;
}

static void on_hello(struct nexus_client *c, const struct nx_slot *hello)
{
    uint8_t *frame = net.pool + HELLO_AT;
    memcpy(&config, hello->payload, sizeof(config));
    if (greeting_out) {
        return; /* lost with the driver; the next life is greeted */
    }
    memset(frame, 0, 60);
    memset(frame, 0xff, 6);
    memcpy(frame + 6, config.mac, 6);
    frame[12] = 0x88;
    frame[13] = 0xb5;
    memcpy(frame + 14, &c->generation, 4);
    greeting.slot.type = NEXUS_FRAME_SEND;
    greeting.slot.buf_off = HELLO_AT;
    greeting.slot.buf_len = 60;
    greeting.done = greeted;
    greeting_out = true;
    submit(&greeting);
}

static void on_event(struct nexus_client *c, const struct nx_slot *event)
{
    cell_log("the link is %s", event->word32[0] != 0 ? "up" : "down");
}

int cell_main(const struct nx_cellinfo *info)
{
    net.hello = on_hello;
    net.event = on_event;
    int e = client_open(&net, SLOT_NET);
    if (e != 0 || net.pool == NULL || net.pool_size < HELLO_AT + ROOM) {
        cell_no_channel(SLOT_NET, "frame", e);
    }
    for (unsigned k = 0; k < BUFFERS; k++) {
        requests[k].done = done;
        receive(k);
    }
    for (;;) {
        int n = client_sleep_prepare(&net);
        if (n == 0) {
            nx_recv_wait(client_watch(&net), NX_NEVER);
            client_awake(&net);
        }
        if (n < 0 || client_poll(&net) < 0) {
            cell_panic("the session is broken");
        }
    }
}
