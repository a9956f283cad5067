/* A channel whose client and server are both here, first on one fiber, so that nobody sleeps: what each of them does; then on two,
 * of which one serves by a handler. */
#include <nexus/cap.h>
#include <nexus/cell.h>
#include <nexus/channel.h>
#include <nexus/fiber.h>

static void check(bool good, const char *what)
{
    if (!good) {
        cell_panic("%s", what);
    }
}

/* Runs on the server's fiber, or on the client's: no call is made here. */
static void doubles(struct channel *ch)
{
    struct nx_slot m;
    while (nx_ring_space(&ch->out, 1) > 0 && nx_ring_pop(&ch->in, &m) == 0) {
        m.word[0] *= 2;
        (void)nx_ring_push(&ch->out, &m);
    }
}

static void serve(void *server)
{
    cell_panic("error %d", -channel_attend(server, doubles));
}

/* Who rings and who hears are two capabilities. */
static int listen(int ring, uint32_t side)
{
    const int slot = cap_take(1);
    check(nx_grant_copy(NX_SELF, ring, slot, NX_R_READ | NX_R_WRITE | side) == 0, "grant");
    return slot;
}

static void calls(int to, int from)
{
    struct channel client;
    static struct channel server;
    static struct fiber fiber;
    struct nx_slot m = {.type = 1, .word = {21}};
    check(channel_open(&client, listen(from, NX_R_RECV), listen(to, NX_R_SEND)) == 0, "client");
    check(channel_serve(&server, listen(to, NX_R_RECV), listen(from, NX_R_SEND)) == 0, "server");
    check(fiber_start(&fiber, serve, &server, 0, NX_TIER_MATTER) == 0, "fiber");
    check(channel_call(&client, &m, NX_NEVER) == 0 && m.word[0] == 42, "call");

    /* The same by hand. */
    check(nx_ring_push(&client.out, &m) == 0, "push");
    const int e = channel_visit(&client);
    check(e == 0 || e == -NX_EBUSY, "visit"); /* the answer is there, or is to be waited for */
    check(channel_receive(&client, &m, NX_NEVER) == 0 && m.word[0] == 84, "receive");
    check(nx_ring_push(&client.out, &m) == 0, "push");
    if (channel_enter(client.out_slot) != 0) {
        channel_bell_out(&client);
    }
    check(channel_receive(&client, &m, NX_NEVER) == 0 && m.word[0] == 168, "receive");
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
    calls(to, from);
    cell_log("ok");
    return 0;
}
