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

static void hello(struct nexus_client *c, const struct nx_slot *slot)
{
    struct device *d = (struct device *)c;
    bool again = d->there;
    pending -= c->generation == 1;
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

static void work(void *ctx)
{
    struct device *d = ctx;
    if (serve_client(&d->client) < 0 && d->there) {
        /* Its requests have ended with errors, and so will all that follow. */
        mb_log("device %u.%u: the driver broke the protocol of its rings", (unsigned)d->kind,
               d->index);
        d->there = false;
    }
}

static bool doubt(struct nexus_client *c, const struct nexus_request *r,
                  const struct nx_slot *reply)
{
    struct device *d = (struct device *)c;
    int result = (int)reply->word32[0];
    if (result == 0 && d->sensible != NULL && !d->sensible(d, r, reply)) {
        result = -NX_EPEER;
    }
    return result != 0 && patience_doubt(&d->patience, r, result);
}

static void poll(struct patience *p)
{
    work(container_of(p, struct device, patience));
}

static void look_after(struct device *d)
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
    d->client.event = event;
    d->client.doubt = doubt;
    int e = client_open(&d->client, slot);
    if (e < 0) {
        mb_log("device %u.%u: no channel: %d", (unsigned)kind, index, e);
        mb_free(memory);
        return NULL;
    }
    pending++;
    look_after(d);
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
