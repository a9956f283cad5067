/* A server of several clients.  See nexus/service.h. */
#include "wait.h"

#include <nexus/cell.h>
#include <nexus/exit.h>
#include <nexus/service.h>

static unsigned slot_of(const struct service *s, const struct service_client *c)
{
    return s->slot + 3 * (unsigned)(c - s->client);
}

unsigned service_open(struct service *s, unsigned slot, const struct nx_slot *hello)
{
    unsigned present = 0;
    s->slot = slot;
    for (unsigned i = 0; i < s->clients; i++) {
        struct service_client *c = &s->client[i];
        int e = server_open(&c->session, slot, i, c->backlog, SERVICE_DEPTH);
        c->present = e != -NX_EBADF;
        e = e == 0 ? server_hello(&c->session, hello) : e;
        if (c->present && e != 0) {
            cell_no_channel(slot + 3 * i, "client's", e);
        }
        present += c->present;
    }
    return present;
}

void service_config(struct service *s, const struct nx_slot *hello)
{
    for (unsigned i = 0; i < s->clients; i++) {
        if (s->client[i].present) {
            server_config(&s->client[i].session, hello);
        }
    }
}

/* `serve` has it, or it is kept: server_take stops at as many as fit. */
static int offer(struct service *s, struct service_client *c, const struct nx_slot *request)
{
    int e = s->serve(s, &c->session, request);
    if (e == NEXUS_LATER) {
        c->kept[c->kept_count++] = *request;
        e = 0;
    }
    return e;
}

static int offer_kept(struct service *s, struct service_client *c)
{
    const uint32_t n = c->kept_count;
    int e = 0;
    c->kept_count = 0;
    for (uint32_t i = 0; e == 0 && i < n; i++) {
        const struct nx_slot request = c->kept[i];
        e = offer(s, c, &request);
    }
    return e;
}

/* The client is a new one: what the old one asked for is nobody's any more. */
static void forget_kept(struct service_client *c)
{
    while (c->kept_count > 0) {
        (void)server_reply(&c->session, &c->kept[--c->kept_count], -NX_EPEER, NULL);
    }
}

static int work(struct service *s, struct service_client *c)
{
    struct nx_slot request;
    int e = offer_kept(s, c);
    int more = e == 0;
    while (more == 1) {
        more = server_take(&c->session, &request);
        if (more == 1) {
            e = offer(s, c, &request);
            more = e == 0 ? 1 : e;
        }
        if (server_renewing(&c->session)) {
            forget_kept(c);
            more = 1;
        }
    }
    e = e == 0 && more < 0 ? more : e;
    return e == 0 ? server_flush(&c->session) : e;
}

/* What it has written makes no sense.  What we wrote is put right, and looked at is what it may have written by
 * the time it rings again. */
static void broken(struct service *s, struct service_client *c)
{
    if (!c->broken) {
        cell_log_at(NX_LOG_ERR, "client %u broke the protocol of its ring",
                    (unsigned)(c - s->client));
    }
    if (!s->programs) {
        cell_exit(NEXUS_EXIT_PEER | slot_of(s, c));
    }
    c->broken = true;
    nx_ring_mend(&c->session.ch.in, false);
    nx_ring_mend(&c->session.ch.out, false);
}

void service_work(struct service *s)
{
    for (unsigned i = 0; i < s->clients; i++) {
        struct service_client *c = &s->client[i];
        if (!c->present) {
            continue;
        }
        if (work(s, c) != 0) {
            broken(s, c);
        } else {
            c->broken = false;
        }
    }
}

bool service_sleep_prepare(struct service *s, uint64_t *watch)
{
    bool idle = true;
    for (unsigned i = 0; idle && i < s->clients; i++) {
        struct service_client *c = &s->client[i];
        if (c->present) {
            const int n = server_sleep_prepare(&c->session);
            idle = n == 0 || (n < 0 && c->broken);
            *watch |= server_watch(&c->session);
        }
    }
    return idle;
}

void service_awake(struct service *s)
{
    for (unsigned i = 0; i < s->clients; i++) {
        if (s->client[i].present) {
            server_awake(&s->client[i].session);
        }
    }
}

long service_wait(struct service *s, uint64_t more, uint64_t deadline)
{
    long slot = NX_KICKED;
    if (service_sleep_prepare(s, &more)) {
        slot = wait_recv(more, deadline);
    }
    service_awake(s);
    return slot;
}
