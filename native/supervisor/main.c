/* The supervisor: the first cell, started by the nucleus.
 *
 * It holds what makes cells and devices: the boot bundle, the device tree, the machine.  It starts every
 * other cell of the bundle with exactly what its manifest wants (grants.c), hears of its death and gives it
 * its next life (service.c).  When the personality asks for it, it switches the machine off (power.c).
 *
 *     bundle.c, image.c, tree.c   reading what we are given; nothing of it is believed
 *     order.c, restart.c          policies, free of calls
 */
#include "bundle.h"
#include "grants.h"
#include "image.h"
#include "order.h"
#include "power.h"
#include "service.h"
#include "silence.h"

#include <nexus/cell.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <libfdt.h>
#include <string.h>

NX_MANIFEST manifest = {
    .magic = NX_MANIFEST_MAGIC,
    .name = "supervisor",
    .tier = NX_TIER_PHOTON,
    .placement = NX_PLACE_ISOLATED,
    .restart = NX_RESTART_NEVER,
    .pledge = NX_PLEDGE_ALL,
    .window_gb = 2,
    .quota_pages = 1024,
    .quota_fibers = 1,
    .quota_objects = 512,
};

static struct service services[SERVICES_MAX];
static unsigned service_count;

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

/* Every cell of the bundle but ourselves becomes a service. */
static void find_services(const struct bundle *b)
{
    for (uint32_t i = 0; i < b->count; i++) {
        struct bundle_part part;
        struct service *s = &services[service_count];
        if (!bundle_part(b, i, &part)) {
            cell_log("entry %u of the bundle is malformed", i);
            continue;
        }
        if (part.kind != NX_BUNDLE_CELL || strcmp(part.name, manifest.name) == 0) {
            continue;
        }
        if (service_count == SERVICES_MAX) {
            cell_log("too many cells: %s is not started", part.name);
            continue;
        }
        int slot = -NX_EFULL;
        if (image_manifest(b->base + part.offset, part.size, &s->manifest) != 0 ||
            (slot = grants_slot()) < 0) {
            cell_log("%s cannot be a cell: error %d", part.name, -slot);
            continue;
        }
        s->offset = part.offset;
        s->size = part.size;
        s->slot = (unsigned)slot;
        service_count++;
    }
}

/* Without a personality, or without a console for it, there is nothing to see and no way to tell why: the
 * nucleus shows a dying supervisor's words on the firmware's console. */
static void check_services(void)
{
    for (unsigned i = 0; i < service_count; i++) {
        if (strcmp(services[i].manifest.name, PERSONALITY) == 0) {
            if (!grants_console(&services[i])) {
                cell_panic("there is no console for %s", PERSONALITY);
            }
            return;
        }
    }
    cell_panic("the boot bundle has no good cell %s", PERSONALITY);
}

static void start_services(void)
{
    const struct nx_manifest *manifests[SERVICES_MAX];
    unsigned order[SERVICES_MAX];
    for (unsigned i = 0; i < service_count; i++) {
        manifests[i] = &services[i].manifest;
    }
    order_cells(manifests, service_count, order);
    for (unsigned i = 0; i < service_count; i++) {
        grants_prepare(&services[order[i]]);
    }
    check_services();
    for (unsigned i = 0; i < service_count; i++) {
        service_start(&services[order[i]]);
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

int cell_main(const struct nx_cellinfo *info)
{
    struct bundle bundle;
    const void *fdt = open_tree(info->arg);
    open_bundle(&bundle);
    grants_init(fdt);
    power_init(fdt);
    find_services(&bundle);
    start_services();
    for (;;) {
        uint64_t deadline = start_waiting(), watch = 0;
        for (unsigned i = 0; i < service_count; i++) {
            if (services[i].state == SERVICE_RUNNING) {
                watch |= 1ul << services[i].slot;
            }
        }
        long slot = nx_recv_wait(watch, deadline);
        silence_if_told(info, slot);
        for (unsigned i = 0; slot >= 0 && i < service_count; i++) {
            if (services[i].state == SERVICE_RUNNING && services[i].slot == (unsigned)slot) {
                service_ended(&services[i]);
            }
        }
    }
}
