/* Test cell: a server of programs that answers twice, late, to nobody, dies, and breaks its rings (ringbad.h). */
#include "ringbad.h"

#include <manifest/ringbad.h>
#include <nexus/cell.h>
#include <nexus/service.h>
#include <nx/sys.h>
#include <string.h>

static struct service_client clients[CLIENTS_CLIENTS];
static uint32_t generation;

static int answer(struct nexus_server *s, const struct nx_slot *request)
{
    struct nx_slot reply = {0};
    reply.word32[1] = generation;
    reply.word[1] = request->word[0];
    return server_reply(s, request, 0, &reply);
}

static void push(struct nexus_server *s, uint16_t type, uint16_t flags, uint32_t cookie)
{
    struct nx_slot m;
    memset(&m, 0, sizeof(m));
    m.type = type;
    m.flags = flags;
    m.cookie = cookie;
    (void)nx_ring_push(&s->ch.out, &m);
}

static void break_rings(struct nexus_server *s)
{
    s->ch.in.own_end->index += 1000;
    s->ch.out.own_end->index += 1000;
    nx_send_bell(s->ch.out_slot);
    cell_exit(1);
}

static int serve(struct service *service, struct nexus_server *s, const struct nx_slot *request)
{
    switch (request->type) {
    case BAD_TWICE:
        push(s, request->type, NX_SLOT_REPLY, request->cookie);
        break;
    case BAD_LATE:
        cell_sleep_ms(request->word[0]);
        break;
    case BAD_COOKIE:
        push(s, request->type, NX_SLOT_REPLY, request->cookie + 256);
        push(s, BAD_OK, NX_SLOT_REPLY, request->cookie);
        push(s, request->type, 0, request->cookie);
        break;
    case BAD_DIE:
    case BAD_DIE_ONCE:
        if (request->word[0] == generation) {
            cell_exit(1);
        }
        break;
    case BAD_KEEP:
        return NEXUS_LATER;
    case BAD_BREAK:
        if (request->word[0] == generation) {
            break_rings(s);
        }
        break;
    default:
        break;
    }
    return answer(s, request);
}

static struct service service = {
    .client = clients, .clients = CLIENTS_CLIENTS, .programs = true, .serve = serve};

int cell_main(const struct nx_cellinfo *info)
{
    generation = info->generation;
    service_open(&service, SLOT_CLIENTS, NULL);
    for (;;) {
        service_work(&service);
        service_wait(&service, 0, NX_NEVER);
    }
}
