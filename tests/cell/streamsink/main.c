/* Test cell: takes the buffers of tests/cell/stream, in place. */
#include "../stream/stream.h"

#include <manifest/streamsink.h>
#include <nexus/cell.h>
#include <nexus/service.h>

static uint32_t look(const volatile uint64_t *at, const struct nx_slot *request)
{
    uint64_t sum = 0;
    if (request->type == STREAM_HANDED) {
        return (uint32_t)at[0];
    }
#pragma GCC unroll 8
    for (uint32_t i = 0; i < STREAM_BUFFER / sizeof(*at); i++) {
        sum += at[i];
    }
    return (uint32_t)sum;
}

static int serve(struct service *s, struct nexus_server *session, const struct nx_slot *request)
{
    struct nx_slot reply = {0};
    const uint8_t *at = server_at(session, request->buf_off, request->buf_len);
    if (at == NULL || request->buf_len != STREAM_BUFFER || request->buf_off % STREAM_BUFFER != 0) {
        return server_reply(session, request, -NX_EINVAL, NULL);
    }
    reply.word32[1] = look((const volatile uint64_t *)at, request);
    return server_reply(session, request, 0, &reply);
}

int cell_main(const struct nx_cellinfo *info)
{
    static struct service_client clients[CLIENTS_CLIENT];
    static struct service service = {.client = clients, .clients = CLIENTS_CLIENT, .serve = serve};
    service_open(&service, SLOT_CLIENT, NULL);
    for (;;) {
        service_work(&service);
        service_wait(&service, 0, NX_NEVER);
    }
}
