/* See service.h. */
#include "service.h"

#include "devices.h"

static struct service {
    struct nexus_client *client; /* NULL: lost */
    void (*lost)(struct nexus_client *c);
} services[MB_SERVICES];
static unsigned service_count;

static void work(void *ctx)
{
    struct service *s = ctx;
    if (s->client != NULL && serve_client(s->client) < 0) {
        struct nexus_client *c = s->client;
        s->client = NULL;
        s->lost(c);
    }
}

void mb_service_add(struct nexus_client *c, void (*lost)(struct nexus_client *c))
{
    if (service_count == MB_SERVICES) {
        cell_panic("more services than there is room for");
    }
    struct service *s = &services[service_count++];
    *s = (struct service){c, lost};
    port_add(client_watch(c), s, work);
}
