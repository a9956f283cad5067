/* See service.h. */
#include "service.h"

#include "devices.h"

#include <nx_base.h>

static struct service {
    struct nexus_client *client; /* NULL: lost */
    void (*lost)(struct nexus_client *c);
    struct renewal renewal; /* of one with a name */
} services[MB_SERVICES];
static unsigned service_count;

static void work(void *ctx)
{
    struct service *s = ctx;
    int e = 0, more = 1;
    if (s->client == NULL) {
        return;
    }
    client_awake(s->client);
    while (e == 0 && more > 0) {
        e = client_poll(s->client);
        more = e == 0 ? client_sleep_prepare(s->client) : e;
    }
    if (more < 0 && s->client->keep) {
        renewal_start(&s->renewal);
    } else if (more < 0) {
        struct nexus_client *c = s->client;
        s->client = NULL;
        s->lost(c);
    }
}

static bool reopen(struct renewal *r)
{
    struct service *s = container_of(r, struct service, renewal);
    const bool good = client_reopen(s->client) == 0;
    if (good) {
        work(s);
    }
    return good;
}

void mb_service_add(struct nexus_client *c, const char *what, unsigned slot,
                    void (*lost)(struct nexus_client *c))
{
    if (service_count == MB_SERVICES) {
        cell_panic("more services than there is room for");
    }
    struct service *s = &services[service_count++];
    *s = (struct service){.client = c, .lost = lost};
    if (what != NULL) {
        c->keep = true;
        renewal_add(&s->renewal, what, slot, reopen);
    }
    port_add(client_watch(c), s, work);
}
