/* See service.h. */
#include "service.h"

static struct service {
    struct nexus_client *client;
    void (*lost)(struct nexus_client *c);
} services[MB_SERVICES];
static unsigned service_count;

void mb_service_add(struct nexus_client *c, void (*lost)(struct nexus_client *c))
{
    if (service_count < MB_SERVICES) {
        services[service_count++] = (struct service){c, lost};
    }
}

static void forget(unsigned i)
{
    struct service s = services[i];
    services[i] = services[--service_count];
    s.lost(s.client);
}

/* Everything that came, and then ask all of them to ring: what to wait for, 0 when there is more already. */
static uint64_t look(void)
{
    uint64_t watch = 0;
    bool more = false;
    for (unsigned i = 0; i < service_count; i++) {
        int e = client_poll(services[i].client);
        e = e == 0 ? client_sleep_prepare(services[i].client) : e;
        if (e < 0) {
            forget(i--);
            continue;
        }
        more |= e > 0;
        watch |= client_watch(services[i].client);
    }
    return more ? 0 : watch;
}

static void service_main(void *arg)
{
    for (;;) {
        mb_lock();
        uint64_t watch = look();
        bool none = service_count == 0;
        mb_unlock();
        if (none) {
            return;
        }
        if (watch != 0) {
            nx_recv_wait(watch, NX_NEVER);
        }
        mb_lock();
        for (unsigned i = 0; i < service_count; i++) {
            client_awake(services[i].client);
        }
        mb_unlock();
    }
}

void mb_service_start(void)
{
    if (service_count > 0 && mb_fiber_start(service_main, NULL) == NULL) {
        mb_log_at(NX_LOG_ERR, "no fiber for the services: they are not heard any more");
    }
}
