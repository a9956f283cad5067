/* Calls that wait.  See nexus/call.h. */
#include "wait.h"

#include <nexus/call.h>
#include <nx_base.h>

int client_wait(struct nexus_client *c, uint64_t deadline)
{
    long e = 0;
    if (client_sleep_prepare(c) == 0) {
        if (c->outstanding != 0) {
            channel_urge(&c->ch);
        }
        e = wait_recv(client_watch(c), deadline);
        client_awake(c);
    } else {
        wait_again(client_watch(c));
    }
    int p = client_poll(c);
    return p != 0 ? p : e == -NX_ETIME ? -NX_ETIME : 0;
}

static void done(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    struct nexus_call *call = container_of(r, struct nexus_call, request);
    call->result = result;
    call->answered = reply != NULL;
    if (reply != NULL) {
        call->reply = *reply;
    }
    call->done = true;
}

int client_call(struct nexus_client *c, struct nexus_call *call, uint64_t deadline)
{
    call->answered = call->done = false;
    call->request.done = done;
    int e = client_submit(c, &call->request);
    while (e == 0 && !call->done) {
        e = client_wait(c, deadline);
    }
    if (call->done) {
        return call->result;
    }
    (void)client_cancel(c, &call->request);
    return e;
}
