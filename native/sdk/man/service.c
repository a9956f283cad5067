/* A server of several clients, one of which is here, so that nobody sleeps. A server of its own is the three functions at
 * the top, and the loop of nexus/service.h. */
#include <nexus/cap.h>
#include <nexus/cell.h>
#include <nexus/service.h>
#include <nx/sys.h>

#define DOUBLE (1 | NX_TYPE_REPEATABLE)

static struct service_client clients[1];
static unsigned asked;

/* Answers a request when it is asked for the second time. */
static int serve(struct service *s, struct nexus_server *session, const struct nx_slot *request)
{
    const struct nx_slot reply = {.word32 = {0, request->word32[0] * 2}};
    if (request->type != DOUBLE) {
        return server_reply(session, request, -NX_ENOSYS, NULL);
    }
    return asked++ == 0 ? NEXUS_LATER : server_reply(session, request, 0, &reply);
}

static struct service service = {.client = clients, .clients = 1, .serve = serve};
static unsigned answer;

static void done(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    answer = result == 0 ? reply->word32[1] : 0;
}

int cell_main(const struct nx_cellinfo *info)
{
    static struct nexus_client client;
    static struct nexus_request request = {.slot = {.type = DOUBLE, .word32[0] = 21}, .done = done};
    uint64_t watch = 0;
    const int slot = cap_take(3);
    if (slot < 0 || nx_make_ring(slot, 8, 0) != 0 || nx_make_ring(slot + 1, 8, 0) != 0) {
        cell_panic("no rings");
    }
    if (service_open(&service, slot, NULL) != 1 || client_open(&client, slot) != 0 ||
        client_submit(&client, &request) != 0) {
        cell_panic("no channel");
    }
    service_config(&service, NULL); /* what later HELLOs say */
    for (int i = 0; i < 10 && answer == 0; i++) {
        service_work(&service);
        client_poll(&client);
    }
    /* A real server sleeps here, until somebody wants something: service_wait(&service, 0, NX_NEVER). */
    service_wait(&service, 0, cell_now());
    if (service_sleep_prepare(&service, &watch)) {
        /* nx_recv_wait(watch | others, ...) */
        service_awake(&service);
    }
    if (answer != 42 || asked != 2) {
        cell_panic("answer %u", answer);
    }
    cell_log("ok");
    return 0;
}
