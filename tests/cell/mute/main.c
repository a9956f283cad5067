/* Test cell: a server that lives and serves nobody.  Its first lives do not answer, the next answers an error, and
 * then all is well (mute.h). */
#include "mute.h"

#include <manifest/mute.h>
#include <nexus/cell.h>
#include <nexus/service.h>

static uint32_t generation;

static int serve(struct service *s, struct nexus_server *session, const struct nx_slot *request)
{
    const struct nx_slot reply = {.word32[1] = generation};
    if (generation <= MUTE_SILENT) {
        return NEXUS_LATER;
    }
    return server_reply(session, request, generation <= MUTE_WRONG ? -NX_EIO : 0, &reply);
}

int cell_main(const struct nx_cellinfo *info)
{
    static struct service_client clients[CLIENTS_CLIENTS];
    static struct service service = {.client = clients, .clients = CLIENTS_CLIENTS, .serve = serve};
    generation = info->generation;
    service_open(&service, SLOT_CLIENTS, NULL);
    for (;;) {
        service_work(&service);
        service_wait(&service, 0, NX_NEVER);
    }
}
