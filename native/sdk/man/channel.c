/* A channel whose client and server are both here, so that nobody sleeps: what each of them does. */
#include <nexus/cap.h>
#include <nexus/cell.h>
#include <nexus/channel.h>

static void check(bool good, const char *what)
{
    if (!good) {
        cell_panic("%s", what);
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    struct channel client, server;
    struct nx_slot m = {.type = 1, .word = {42}};
    const int to = cap_take(1), from = cap_take(1);
    check(nx_make_ring(to, 8, 0) == 0 && nx_make_ring(from, 8, 0) == 0, "rings");
    check(channel_open(&client, from, to) == 0, "client");  /* in, out; USE: slot + 1, slot */
    check(channel_serve(&server, to, from) == 0, "server"); /* SERVE: slot, slot + 1 */

    check(channel_send(&client, &m, NX_NEVER) == 0, "send");
    check(channel_receive(&server, &m, NX_NEVER) == 0 && m.word[0] == 42, "receive");
    check(channel_receive(&server, &m, cell_now()) == -NX_ETIME, "nothing more");

    /* The fast path: several messages, one bell. */
    check(nx_ring_push(&server.out, &m) == 0, "push");
    check(nx_ring_push(&server.out, &m) == 0, "push");
    channel_bell_out(&server);
    check(nx_ring_pop(&client.in, &m) == 0, "pop");
    check(nx_ring_pop(&client.in, &m) == 0, "pop");
    channel_bell_in(&client);
    channel_urge(&client); /* it waits now: at its tier, please */

    /* What a client does when the server's indices are impossible, after a wake-up, and when all is well. */
    check(channel_mend(&client), "mend");
    channel_greet(&client);
    channel_well(&client);
    cell_log("ok");
    return 0;
}
