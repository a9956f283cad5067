/* logd: the cell that keeps the System Truth Ledger (interface "log", nexus/stl.h).
 *
 * Writers do not know it: they write to the nucleus, which signals an event here when there is more.
 * drain.c moves that into the history (history.c), whose memory outlives this cell.  A client reads from
 * any number on, or is told when there is more.  Nothing ticks while nobody writes.
 */
#include "drain.h"

#include <manifest/logd.h>
#include <nexus/cell.h>
#include <nexus/exit.h>
#include <nexus/session.h>
#include <nx/sys.h>
#include <nx_base.h>

#define SLOT_GROWN 2 /* made by us */
#define CLIENTS 2u
#define FOLLOWING 8u    /* requests of a client that may wait at a time */
#define READ_MAX 16384u /* bytes of an answer */
#define REST_MS 2u      /* from the first news to the look at them */

struct client {
    struct nexus_server session;
    struct nx_slot backlog[FOLLOWING];
    struct nx_slot following[FOLLOWING];
    uint32_t following_count;
    bool present; /* somebody uses this channel */
};

static struct client clients[CLIENTS];
static struct history history;
static struct drain source;

static void reply_end(struct client *c, const struct nx_slot *request)
{
    struct nx_slot reply = {0};
    reply.word[2] = history.next;
    (void)server_reply(&c->session, request, 0, &reply);
}

static void read_records(struct client *c, const struct nx_slot *request)
{
    struct nx_slot reply = {0};
    uint64_t from = request->word[0];
    const uint32_t n = NX_MIN(request->buf_len, READ_MAX);
    uint8_t *to = server_at(&c->session, request->buf_off, request->buf_len);
    if (n < NEXUS_STL_MAX || to == NULL) {
        (void)server_reply(&c->session, request, -NX_EINVAL, NULL);
        return;
    }
    reply.word32[1] = (uint32_t)history_read(&history, &from, to, n);
    reply.word[1] = NX_MIN(from, history.next);
    reply.word[2] = history.next;
    (void)server_reply(&c->session, request, 0, &reply);
}

static void answer(struct client *c, const struct nx_slot *request)
{
    if (request->type == NEXUS_STL_READ) {
        read_records(c, request);
    } else if (request->type != NEXUS_STL_FOLLOW) {
        (void)server_reply(&c->session, request, -NX_ENOSYS, NULL);
    } else if (request->word[0] != history.next) {
        reply_end(c, request); /* a number that is not reached yet is none of ours: it hears so */
    } else {
        c->following[c->following_count++] = *request; /* server_take stops at as many as fit */
    }
}

static void answer_following(struct client *c)
{
    uint32_t n = c->following_count;
    c->following_count = 0;
    for (uint32_t i = 0; i < n; i++) {
        answer(c, &c->following[i]);
    }
}

/* The client is a new one: nobody follows any more. */
static void forget_following(struct client *c)
{
    while (c->following_count > 0) {
        (void)server_reply(&c->session, &c->following[--c->following_count], -NX_EPEER, NULL);
    }
}

static void serve(struct client *c)
{
    struct nx_slot request;
    int e = 1;
    if (!c->present) {
        return;
    }
    answer_following(c);
    while (e == 1) {
        e = server_take(&c->session, &request);
        if (e == 1) {
            answer(c, &request);
        }
        if (server_renewing(&c->session)) {
            forget_following(c);
            e = 1;
        }
    }
    if (e == 0) {
        e = server_flush(&c->session);
    }
    if (e != 0) {
        cell_log_at(NX_LOG_ERR, "a client broke the protocol of its ring");
        cell_exit(NEXUS_EXIT_PEER | (SLOT_CLIENTS + 3 * (unsigned)(c - clients)));
    }
}

static void open_history(const struct nx_cellinfo *info)
{
    size_t size = 0;
    int e = 0;
    void *memory = cell_map(SLOT_MEMORY, NX_PROT_R | NX_PROT_W, &size, &e);
    int n = history_open(&history, memory, size);
    if (n < 0) {
        cell_panic("no memory for the history: error %d", -e);
    }
    source.timebase = info->timebase;
    drain_open(&source, &history);
    if (info->generation > 1) {
        cell_log("%d records of the last life, up to %lu", n, (unsigned long)history.next);
    }
    e = (int)nx_make_event(SLOT_GROWN);
    e = e == 0 ? (int)nx_meta_watch(SLOT_GROWN) : e;
    if (e != 0) {
        cell_panic("the log cannot be watched: error %d", -e);
    }
}

static void open_clients(void)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *c = &clients[i];
        int e = server_open(&c->session, SLOT_CLIENTS, i, c->backlog, FOLLOWING);
        c->present = e != -NX_EBADF;
        e = e == 0 ? server_hello(&c->session, NULL) : e;
        if (c->present && e != 0) {
            cell_no_channel(SLOT_CLIENTS + 3 * i, "log", e);
        }
    }
}

/* Sleep until one of these fires, or a client rings: which. */
static long sleep_until(uint64_t watch, uint64_t deadline)
{
    long slot = NX_KICKED;
    bool idle = true;
    for (unsigned i = 0; idle && i < CLIENTS; i++) {
        if (!clients[i].present) {
            continue;
        }
        idle = server_sleep_prepare(&clients[i].session) == 0;
        watch |= server_watch(&clients[i].session);
    }
    if (idle) {
        slot = nx_recv_wait(watch, deadline);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (clients[i].present) {
            server_awake(&clients[i].session);
        }
    }
    return slot;
}

/* Sleep until a client rings or the log grows.  When it does, a while passes before it is looked at: what
 * happens first is more urgent, as a rule, than that it can be read (a driver that died is to live again);
 * and a flood does not cost a switch to us for every line: all it can cost is what the nucleus keeps,
 * once a rest.  Who asks is answered at once, and with all there is. */
static void rest(void)
{
    if (sleep_until(1ul << SLOT_GROWN, NX_NEVER) == SLOT_GROWN) {
        sleep_until(0, cell_now() + cell_ticks_of_ms(REST_MS));
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    open_history(info);
    open_clients();
    for (;;) {
        unsigned moved = drain(&source, &history);
        for (unsigned i = 0; i < CLIENTS; i++) {
            serve(&clients[i]);
        }
        if (moved < DRAIN_MOST) {
            rest();
        }
    }
}
