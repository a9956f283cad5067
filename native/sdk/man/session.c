/* A session whose client and server are both here, so that nobody sleeps: what each of them does. */
#include <nexus/cap.h>
#include <nexus/cell.h>
#include <nexus/session.h>
#include <nx/sys.h>

#define DOUBLE (1 | NX_TYPE_REPEATABLE)
#define NEWS 2

static unsigned answer, events;

static void check(bool good, const char *what)
{
    if (!good) {
        cell_panic("%s", what);
    }
}

static void on_event(struct nexus_client *c, const struct nx_slot *slot)
{
    events += slot->type == NEWS;
}

static void done(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    answer = result == 0 ? reply->word32[1] : 0;
}

/* One round of a server's work. */
static void serve(struct nexus_server *s)
{
    struct nx_slot request, reply = {0};
    server_awake(s); /* after a sleep */
    while (server_take(s, &request) == 1) {
        reply.word32[1] = request.word32[0] * 2;
        (void)server_reply(s, &request, request.type == DOUBLE ? 0 : -NX_ENOSYS, &reply);
    }
    check(!server_renewing(s), "a new client");
    (void)server_flush(s);
}

int cell_main(const struct nx_cellinfo *info)
{
    static struct nexus_client client = {.event = on_event};
    static struct nexus_server server;
    static struct nx_slot backlog[8];
    static struct nexus_request request = {.slot = {.type = DOUBLE, .word32[0] = 21}, .done = done};
    const struct nx_slot config = {.type = 0};
    const int slot = cap_take(3); /* ring to the server, ring from it, pool */
    check(nx_make_ring(slot, 8, 0) == 0 && nx_make_ring(slot + 1, 8, 0) == 0, "rings");
    check(nx_make_mem(slot + 2, 1, 0) == 0, "pool");

    check(server_open(&server, slot, 0, backlog, 8) == 0, "server_open");
    server_config(&server, &config);
    check(server_hello(&server, &config) == 0, "server_hello");
    check(client_open(&client, slot) == 0, "client_open");
    check(client_submit(&client, &request) == 0,
          "client_submit"); /* sent when the server has said HELLO */

    for (int i = 0; i < 10 && answer == 0; i++) {
        serve(&server);
        check(client_poll(&client) == 0, "client_poll");
    }
    check(answer == 42, "answer");

    const struct nx_slot news = {.type = NEWS};
    check(server_event(&server, &news) == 0 && server_flush(&server) == 0, "event");
    check(client_poll(&client) == 0 && events == 1, "event");

    /* Nothing is left to do: now they would sleep, each in nx_recv_wait() on its mask. */
    check(server_sleep_prepare(&server) == 0 && client_sleep_prepare(&client) == 0, "sleep");
    check(client_watch(&client) == server_watch(&server), "the same rings");
    client_awake(&client);

    /* The pool, of which the server believes no offset. */
    check(server_in_pool(&server, 0, 4096) && !server_in_pool(&server, 1, 4096), "pool");
    check(!server.dma || server_phys(&server, 16) == server_phys(&server, 0) + 16,
          "its address for a device");
    check(!server.dma || !server_reaches(&server, server_phys(&server, 1), server.pool_size),
          "what a device may be told of");
    check(server_at(&server, 4000, 97) == NULL && server_at(&server, 4000, 96) != NULL, "pool");
    cell_log("ok");
    return 0;
}
