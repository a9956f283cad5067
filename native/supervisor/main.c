/* The supervisor: the first cell, started by the nucleus.
 *
 * It holds what makes cells and devices: the boot bundle, the device tree, the machine.  It starts every
 * other cell of the bundle with exactly what its manifest wants, hears of its death and gives it its
 * next life.  When the personality asks for it, it switches the machine off.
 *
 *     image.c, tree.c             reading what we are given; nothing of it is believed
 *     plan.c, order.c, restart.c  policies, free of calls
 *     store.c, device.c, link.c   what there is to give: kept memory and rings, devices, channels
 *     grants.c, service.c         giving it; life and death of a cell
 *     command.c, health.c         more policy: what is asked of us, and whether cells are well
 *     complaint.c, burn.c         servers that serve nobody: what clients say of them, and who only burns
 *     control.c, show.c           what others may ask
 *     power.c                     the end of the machine
 *     silence.c                   a hook of tests
 */
#include "complaint.h"
#include "control.h"
#include "device.h"
#include "grants.h"
#include "image.h"
#include "link.h"
#include "order.h"
#include "plan.h"
#include "power.h"
#include "service.h"
#include "silence.h"
#include "store.h"

#include <manifest/supervisor.h>
#include <nexus/cell.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

/* Map the device tree; the nucleus has checked it, this checks that all of it is in the mapping. */
static const void *open_tree(uint64_t offset)
{
    size_t size = 0;
    int e = 0;
    const uint8_t *at = cell_map(SLOT_FDT, NX_PROT_R, &size, &e);
    if (at == NULL || offset >= size || fdt_check_full(at + offset, size - offset) != 0) {
        cell_panic("no device tree: error %d", -e);
    }
    return at + offset;
}

static void open_bundle(struct bundle *b)
{
    size_t size = 0;
    int e = 0;
    const void *at = cell_map(SLOT_BUNDLE, NX_PROT_R, &size, &e);
    if (at == NULL || !bundle_open(b, at, size)) {
        cell_panic("no boot bundle: error %d", -e);
    }
}

static void add_service(const struct nx_manifest *m, const struct bundle *b,
                        const struct bundle_part *part, uint32_t instance)
{
    struct service *s = &services[service_count];
    if (service_find(m->name) != NULL) {
        cell_log("there is a cell %s already: the image %s waits for a swap", m->name, part->name);
        return;
    }
    int slot = service_count < SERVICES_MAX ? store_slot() : -NX_EFULL;
    if (slot < 0) {
        cell_log("too many cells: %s is not started", m->name);
        return;
    }
    *s = (struct service){.manifest = *m,
                          .image = SERVICE_BUNDLE,
                          .offset = part->offset,
                          .size = part->size,
                          .fixed_pages = image_fixed_pages(b->base + part->offset, part->size),
                          .fixed = -1,
                          .instance = instance,
                          .slot = (unsigned)slot};
    service_count++;
}

/* One cell, or one for each device. */
static void add_image(const struct bundle *b, const struct bundle_part *part)
{
    struct nx_manifest m, each;
    if (image_manifest(b->base + part->offset, part->size, &m) != 0) {
        cell_log("%s cannot be a cell", part->name);
        return;
    }
    if ((m.flags & NX_MANIFEST_PER_DEVICE) == 0) {
        add_service(&m, b, part, 0);
        return;
    }
    const struct nx_want *w = plan_device(&m);
    unsigned n = w != NULL ? device_count(w) : 0;
    for (unsigned i = 0; i < n; i++) {
        if (plan_instance(&m, i, &each)) {
            add_service(&each, b, part, i + 1);
        }
    }
}

/* Every cell of the bundle becomes a service; the first stands for ourselves. */
static void find_services(const struct bundle *b, uint32_t generation)
{
    services[service_count++] = (struct service){.manifest = manifest,
                                                 .image = SERVICE_BUNDLE,
                                                 .slot = NX_SELF,
                                                 .generation = generation,
                                                 .state = SERVICE_RUNNING};
    health_start(&services[0].health, 0, 0);
    burn_start(&services[0].burn);
    for (uint32_t i = 0; i < b->count; i++) {
        struct bundle_part part;
        if (!bundle_part(b, i, &part)) {
            cell_log("entry %u of the bundle is malformed", i);
        } else if (part.kind == NX_BUNDLE_CELL && strcmp(part.name, manifest.name) != 0) {
            add_image(b, &part);
        }
    }
}

/* Without a personality, or without a console for it, there is nothing to see and no way to tell why: the
 * nucleus shows a dying supervisor's words on the firmware's console. */
static void check_services(void)
{
    for (unsigned i = 0; i < service_count; i++) {
        if (strcmp(services[i].manifest.name, PERSONALITY) == 0) {
            if (!link_console(&services[i])) {
                cell_panic("there is no console for %s", PERSONALITY);
            }
            return;
        }
    }
    cell_panic("the boot bundle has no good cell %s", PERSONALITY);
}

static void set_absent(struct service *s)
{
    s->state = SERVICE_ABSENT;
    cell_log("%s is not started: %s", s->manifest.name, s->missing);
}

/* Who lacks a device, and who lacks those. */
static void find_absent(const struct nx_manifest *const *manifests)
{
    bool absent[SERVICES_MAX] = {false};
    for (unsigned i = 0; i < service_count; i++) {
        absent[i] = !grants_devices(&services[i]);
    }
    plan_absent(manifests, service_count, absent);
    for (unsigned i = 0; i < service_count; i++) {
        if (absent[i]) {
            if (services[i].missing[0] == 0) {
                snprintf(services[i].missing, sizeof(services[i].missing),
                         "what it uses is not served");
            }
            set_absent(&services[i]);
        }
    }
}

/* In the order of `order`, what can be had and may be done. */
static void prepare(const unsigned *order, bool (*step)(struct service *s))
{
    for (unsigned i = 0; i < service_count; i++) {
        struct service *s = &services[order[i]];
        if (s->state != SERVICE_ABSENT && !step(s)) {
            set_absent(s);
        }
    }
}

static void start_services(const struct bundle *b)
{
    static const struct nx_manifest *manifests[SERVICES_MAX];
    unsigned order[SERVICES_MAX];
    for (unsigned i = 0; i < service_count; i++) {
        manifests[i] = &services[i].manifest;
    }
    find_absent(manifests);
    order_cells(manifests, service_count, order);
    prepare(order, grants_make);
    prepare(order, grants_connect);
    check_services();
    control_init(&services[0], b);
    complaint_init();
    for (unsigned i = 0; i < service_count; i++) {
        if (services[order[i]].state == SERVICE_DOWN) {
            service_start(&services[order[i]]);
        }
    }
}

/* Start those whose time has come; when is the next one's? */
static uint64_t start_waiting(void)
{
    uint64_t next = NX_NEVER;
    for (unsigned i = 0; i < service_count; i++) {
        struct service *s = &services[i];
        if (s->state == SERVICE_WAITING && s->start_at <= cell_now()) {
            service_start(s);
        }
        if (s->state == SERVICE_WAITING) {
            next = NX_MIN(next, s->start_at);
        }
    }
    return next;
}

/* Look after those who promise something; when is the next look due? */
static uint64_t look_after(void)
{
    uint64_t next = HEALTH_NEVER, now = service_now_ms();
    for (unsigned i = 0; i < service_count; i++) {
        next = NX_MIN(next, service_look(&services[i], now));
    }
    return next == HEALTH_NEVER ? NX_NEVER : cell_ticks_of_ms(next);
}

static void hear(long slot)
{
    for (unsigned i = 0; slot >= 0 && slot < NX_SLOTS && i < service_count; i++) {
        if (services[i].state == SERVICE_RUNNING && services[i].slot == (unsigned)slot) {
            silence_if_told();
            service_heard(&services[i]);
        }
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    static struct bundle bundle;
    const void *fdt = open_tree(info->arg);
    open_bundle(&bundle);
    device_init(fdt);
    power_init(fdt);
    find_services(&bundle, info->generation);
    start_services(&bundle);
    for (;;) {
        bool busy = false;
        uint64_t deadline = look_after(); /* first: it may find one that is to start again */
        deadline = NX_MIN(deadline, start_waiting());
        uint64_t watch = control_prepare(&busy) | complaint_watch(&deadline);
        for (unsigned i = 0; i < service_count; i++) {
            if (services[i].state == SERVICE_RUNNING && services[i].slot != NX_SELF) {
                watch |= 1ul << services[i].slot;
            }
        }
        const long slot = nx_recv_wait(watch, busy ? 0 : deadline);
        complaint_heard(slot);
        hear(slot); /* NX_KICKED: L0 wants to hear of us */
        control_serve();
    }
}
