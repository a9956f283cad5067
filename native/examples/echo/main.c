/* A ring echo server: answers every message of its clients with the same message.
 *
 * This is the bottom of all services: no session, no stubs, the rings alone (nx/ring.h, nexus/channel.h), as fast as
 * they are.  Messages are copied from ring to ring where they lie, as many as there are; then one bell wakes a client
 * that sleeps.  What it shows:
 *
 *   - how to wait for several rings at once: announce sleep on each, look again, recv, take it back
 *   - flow control: what does not fit into the ring to the client stays in the ring from it, and nothing is lost
 *   - restarts: a message is given back to the client's ring only after its echo was published, so a life that dies
 *     in between leaves it for the next one.  The client may see one message twice, and none is lost
 *   - a client that breaks its ring hurts nobody but itself, and not for long
 */
#include <manifest/echo.h>
#include <nexus/cell.h>
#include <nexus/channel.h>
#include <nexus/exit.h>

struct client {
    struct channel ch;
    bool present;
    unsigned long echoed;
};

static struct client clients[CLIENTS_CLIENT];

static unsigned slot_of(const struct client *c)
{
    return SLOT_CLIENT_RX + 3 * (unsigned)(c - clients);
}

/* The other side is hostile until proven otherwise: a ring that makes no sense is the supervisor's to renew, for
 * both of us. */
static _Noreturn void broken(const struct client *c)
{
    cell_log_at(NX_LOG_ERR, "client %u broke its ring", (unsigned)(c - clients));
    cell_exit(NEXUS_EXIT_PEER | slot_of(c));
}

static void open_clients(void)
{
    for (unsigned i = 0; i < CLIENTS_CLIENT; i++) {
        struct client *c = &clients[i];
        const unsigned slot = slot_of(c);
        int e = channel_serve(&c->ch, slot, slot + 1);
        c->present = e == 0;
        if (e != 0 && e != -NX_EBADF) { /* -NX_EBADF: nobody uses this channel */
            cell_no_channel(slot, "client's", e);
        }
    }
}

/* Echo what there is, and what there is room for: how many. */
static unsigned echo(struct client *c)
{
    const int waiting = nx_ring_pending(&c->ch.in, c->ch.in.count);
    const int room = nx_ring_space(&c->ch.out, (uint32_t)(waiting > 0 ? waiting : 1));
    if (waiting < 0 || room < 0) {
        broken(c);
    }
    const unsigned n = (unsigned)(waiting < room ? waiting : room);
    for (unsigned i = 0; i < n; i++) {
        struct nx_slot m;
        nx_ring_read(&c->ch.in, i, &m); /* once: the client may change it meanwhile */
        m.flags |= NX_SLOT_REPLY;
        nx_ring_write(&c->ch.out, i, &m);
    }
    if (n > 0) {
        nx_ring_commit(&c->ch.out, n);
        nx_ring_release(&c->ch.in, n);
        channel_bell_out(&c->ch);
        channel_bell_in(&c->ch);
        c->echoed += n;
    }
    return n;
}

/* Is there something left to do for this client?  If not, it will ring. */
static bool idle(struct client *c)
{
    int n = nx_ring_sleep_prepare(&c->ch.in);
    if (n > 0) { /* a message; but perhaps no room for its echo: then room is what we wait for */
        n = nx_ring_sleep_prepare(&c->ch.out);
    }
    if (n < 0) {
        broken(c);
    }
    return n == 0;
}

/* Sleep until a client rings, unless one has something already. */
static void rest(void)
{
    uint64_t watch = 0;
    bool sleep = true;
    for (unsigned i = 0; i < CLIENTS_CLIENT; i++) {
        struct client *c = &clients[i];
        if (c->present) {
            sleep = sleep && idle(c);
            watch |= 3ul << slot_of(c);
        }
    }
    if (sleep) {
        nx_recv_wait(watch, NX_NEVER);
    }
    for (unsigned i = 0; i < CLIENTS_CLIENT; i++) {
        if (clients[i].present) {
            nx_ring_sleep_cancel(&clients[i].ch.in);
            nx_ring_sleep_cancel(&clients[i].ch.out);
        }
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    open_clients();
    cell_log("generation %u serves", info->generation);
    for (;;) {
        unsigned n = 0;
        for (unsigned i = 0; i < CLIENTS_CLIENT; i++) {
            n += clients[i].present ? echo(&clients[i]) : 0;
        }
        if (n == 0) {
            rest();
        }
    }
}
