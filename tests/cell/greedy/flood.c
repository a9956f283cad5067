/* Somebody else's work: a server gets as much of it as its ring holds, at all times.  See greedy.h. */
#include "greedy.h"

#include <nexus/entropy.h>
#include <nexus/session.h>

#define MANY 200000u /* answers after which it says so, and goes on */
#define BYTES 48u
#define AT_ONCE 128u /* requests: more than the ring has room for */

static struct nexus_client server;
static struct nexus_request requests[AT_ONCE];
static unsigned long answers, errors;

static void answered(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    errors += result != 0;
    if (++answers == MANY) {
        cell_log("had %lu answers, %lu of them errors", answers, errors);
    }
    (void)client_submit(&server, r);
}

static void begin(void)
{
    int e = client_open(&server, SLOT_RANDOM);
    if (e != 0) {
        cell_panic("no channel: error %d", -e);
    }
    for (unsigned i = 0; i < AT_ONCE; i++) {
        requests[i] = (struct nexus_request){.slot = {.type = NEXUS_ENTROPY_READ, .buf_len = BYTES},
                                             .done = answered};
        (void)client_submit(&server, &requests[i]);
    }
}

/* It waits whenever there is nothing to take and no room: each of the two wakes the other. */
void flood_requests(void)
{
    begin();
    for (;;) {
        if (client_sleep_prepare(&server) == 0) {
            (void)nx_recv_wait(client_watch(&server), NX_NEVER);
            client_awake(&server);
        }
        (void)client_poll(&server);
    }
}

void flood_busily(void)
{
    begin();
    for (;;) {
        (void)client_poll(&server);
    }
}

void flood_bells(void)
{
    for (;;) {
        (void)nx_send_bell(SLOT_RANDOM);
        (void)nx_send_bell(SLOT_RANDOM + 1);
    }
}
