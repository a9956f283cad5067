/* Sessions with the drivers of devices: opening, HELLO, errors.  See devices.h. */
#include "devices.h"

#include <nx_base.h>
#include <stdio.h>

void (*mb_device_hook)(enum mb_device kind, unsigned index, bool again);
static unsigned pending;

unsigned mb_devices_pending(void)
{
    return pending;
}

static void work(void *ctx);

static void hello(struct nexus_client *c, const struct nx_slot *slot)
{
    struct device *d = (struct device *)c;
    bool again = d->there;
    pending -= !d->met;
    d->met = true;
    patience_hello(&d->patience);
    if (!d->hello(d, slot)) {
        mb_log("device %u.%u: its driver's configuration makes no sense", (unsigned)d->kind,
               d->index);
        return;
    }
    d->there = true;
    if (mb_device_hook) {
        mb_device_hook(d->kind, d->index, again);
    }
}

static bool reopen(struct renewal *r)
{
    struct device *d = container_of(r, struct device, renewal);
    int e = client_reopen(&d->client);
    patience_hello(&d->patience); /* not yet, but it has all the time again */
    if (e == 0) {
        work(d);
    }
    return e == 0;
}

static void work(void *ctx)
{
    struct device *d = ctx;
    int e = 0, more = 1;
    client_awake(&d->client);
    while (e == 0 && more > 0) {
        e = client_poll(&d->client);
        more = e == 0 ? client_sleep_prepare(&d->client) : e;
    }
    if (more < 0) { /* its requests are kept */
        renewal_start(&d->renewal);
    }
}

static void poll(struct patience *p)
{
    work(container_of(p, struct device, patience));
}

static void look_after(struct device *d, unsigned slot)
{
    /* The interfaces, as manifest.kdl names them. */
    static const struct {
        const char *name;
        bool numbered;
    } kinds[MB_DEV_KINDS] = {[MB_DEV_BLOCK] = {"block", true},
                             [MB_DEV_ENTROPY] = {"entropy", false},
                             [MB_DEV_DISPLAY] = {"display", false},
                             [MB_DEV_INPUT] = {"input", true}};
    char what[32];
    if (kinds[d->kind].numbered) {
        snprintf(what, sizeof(what), "%s.%u", kinds[d->kind].name, d->index);
    } else {
        snprintf(what, sizeof(what), "%s", kinds[d->kind].name);
    }
    patience_start(&d->patience, &d->client, what);
    d->patience.poll = poll;
    renewal_add(&d->renewal, d->patience.what, slot, reopen);
}

void *driver_open(unsigned slot, size_t size, size_t at, enum mb_device kind, unsigned index,
                  bool (*on_hello)(struct device *d, const struct nx_slot *slot),
                  void (*event)(struct nexus_client *c, const struct nx_slot *slot))
{
    if (nx_meta_size(slot) <= 0) {
        return NULL; /* an optional want that was not met */
    }
    /* A request holds slots of a cache line: a run of pages is aligned to that. */
    uint8_t *memory = mb_zalloc(size > MB_PAGE ? size : MB_PAGE);
    if (memory == NULL) {
        return NULL;
    }
    struct device *d = (struct device *)(memory + at);
    d->kind = kind;
    d->index = index;
    d->hello = on_hello;
    d->client.hello = hello;
    d->client.keep = true;
    d->client.event = event;
    int e = client_open(&d->client, slot);
    if (e < 0) {
        mb_log("device %u.%u: no channel: %d", (unsigned)kind, index, e);
        mb_free(memory);
        return NULL;
    }
    pending++;
    look_after(d, slot);
    port_add(client_watch(&d->client), d, work);
    return memory;
}

int driver_ask(struct device *d, struct nexus_request *r, unsigned limit_ms)
{
    int e = client_submit(&d->client, r);
    if (e == 0) {
        patience_asked(&d->patience, r, limit_ms);
    }
    return e == 0 ? 0 : e == -NX_EFULL ? -EAGAIN : -EIO;
}

int driver_errno(int result)
{
    return result > 0 ? -EIO : mb_errno(result);
}

void mb_devices_init(void)
{
    block_init();
    entropy_init();
    display_init();
    input_init();
}
