/* See device.h. */
#include "device.h"
#include "store.h"

#include <nexus/cell.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <stdio.h>
#include <string.h>

#define DEVICES_MAX 32u

/* Registers of a virtio-mmio window (virtio 1.2, 4.2.2), as words. */
#define VIRTIO_MAGIC 0u /* reads "virt" */
#define VIRTIO_VERSION 1u
#define VIRTIO_DEVICE_ID 2u /* 0: nothing is plugged in */
#define VIRTIO_STATUS (0x70u / 4)
#define MAGIC_VALUE 0x74726976u
#define MODERN 2u
#define RESET_LOOKS 1000u /* a device that answers at all resets within these many reads */

static const void *tree;
static struct device devices[DEVICES_MAX];
static unsigned count;

void device_init(const void *fdt)
{
    tree = fdt;
}

/* ---- looking ---- */

static long make_regs(const struct tree_device *dev)
{
    uint64_t base = ALIGN_DOWN(dev->base, NX_PAGE_SIZE);
    uint64_t end = ALIGN_UP(dev->base + dev->size, NX_PAGE_SIZE);
    return nx_make_devmem(SLOT_SCRATCH, SLOT_MACHINE, base, end - base);
}

/* Map the registers of a device. */
static volatile uint32_t *map_regs(const struct tree_device *dev, unsigned prot)
{
    size_t size = 0;
    if (make_regs(dev) != 0) {
        return NULL;
    }
    uint8_t *at = cell_map(SLOT_SCRATCH, prot, &size, NULL);
    nx_grant_drop(SLOT_SCRATCH);
    return at != NULL ? (volatile uint32_t *)(at + dev->base % NX_PAGE_SIZE) : NULL;
}

static void unmap_regs(const struct tree_device *dev, volatile uint32_t *regs)
{
    uint64_t at = ALIGN_DOWN((uint64_t)(uintptr_t)regs, NX_PAGE_SIZE);
    nx_map_unmap(0, at, ALIGN_UP(dev->base % NX_PAGE_SIZE + dev->size, NX_PAGE_SIZE));
}

/* What is plugged into a virtio window: its device id, 0 for nothing we can use. */
static uint32_t look(const struct tree_device *dev)
{
    uint32_t id = 0;
    volatile const uint32_t *regs =
        dev->size >= 0x100 && dev->base % 4 == 0 ? map_regs(dev, NX_PROT_R) : NULL;
    if (regs == NULL) {
        cell_log("virtio window at %#lx cannot be looked at", (unsigned long)dev->base);
        return 0;
    }
    if (regs[VIRTIO_MAGIC] == MAGIC_VALUE) {
        id = regs[VIRTIO_DEVICE_ID];
        if (id != 0 && regs[VIRTIO_VERSION] != MODERN) {
            cell_log("virtio device %u at %#lx: version %u is not for us", id,
                     (unsigned long)dev->base, regs[VIRTIO_VERSION]);
            id = 0;
        }
    }
    unmap_regs(dev, (volatile uint32_t *)(uintptr_t)regs);
    return id;
}

/* QEMU fills virtio windows from the highest address down, so in this order devices are numbered as
 * its command line has them. */
static void insert(const struct device *d)
{
    unsigned at = count++;
    bool virtio = d->id != 0;
    for (; virtio && at > 0 && devices[at - 1].id != 0 && devices[at - 1].tree.base < d->tree.base;
         at--) {
        devices[at] = devices[at - 1];
    }
    devices[at] = *d;
}

/* All of the tree with this name, the first time that it is asked for; before any is claimed of it. */
static void scan(const char *what)
{
    static char seen[DEVICES_MAX][sizeof(devices->what)];
    static unsigned seen_count;
    bool virtio = strcmp(what, VIRTIO_MMIO) == 0;
    for (unsigned i = 0; i < seen_count; i++) {
        if (strcmp(seen[i], what) == 0) {
            return;
        }
    }
    if (seen_count == DEVICES_MAX) {
        return;
    }
    snprintf(seen[seen_count++], sizeof(seen[0]), "%s", what);
    struct device d = {0};
    snprintf(d.what, sizeof(d.what), "%s", what);
    for (int at = -1; tree_next(tree, what, &at, &d.tree);) {
        d.id = virtio ? look(&d.tree) : 0;
        if (virtio && d.id == 0) {
            continue;
        }
        if (count == DEVICES_MAX) {
            cell_log("too many devices: the %s at %#lx is not used", what,
                     (unsigned long)d.tree.base);
            return;
        }
        insert(&d);
    }
}

/* ---- who has what ---- */

static bool means(const struct nx_want *w, const struct device *d)
{
    return strcmp(d->what, w->what) == 0 &&
           d->id == (strcmp(w->what, VIRTIO_MMIO) == 0 ? w->device_id : 0);
}

unsigned device_count(const struct nx_want *w)
{
    unsigned n = 0;
    scan(w->what);
    for (unsigned i = 0; i < count; i++) {
        n += means(w, &devices[i]);
    }
    return n;
}

struct device *device_of(const struct nx_want *w, const void *owner)
{
    for (unsigned i = 0; i < count; i++) {
        if (devices[i].owner == owner && means(w, &devices[i])) {
            return &devices[i];
        }
    }
    return NULL;
}

struct device *device_claim(const struct nx_want *w, const void *owner)
{
    scan(w->what);
    struct device *d = device_of(w, owner);
    if (d == NULL && (d = device_of(w, NULL)) != NULL) {
        d->owner = owner;
        if (d->id != 0) {
            d->regs = map_regs(&d->tree, NX_PROT_R | NX_PROT_W);
        }
    }
    return d;
}

/* ---- giving ---- */

long device_give(const struct device *d, const struct nx_want *w, unsigned cell)
{
    bool regs = w->kind == NX_WANT_DEVMEM;
    uint32_t rights = w->rights & (NX_R_READ | (regs ? NX_R_WRITE : NX_R_RECV));
    long e = regs               ? make_regs(&d->tree)
             : d->tree.irq != 0 ? nx_make_irq(SLOT_SCRATCH, SLOT_MACHINE, d->tree.irq)
                                : -NX_ENOENT;
    if (e == 0) {
        e = nx_grant_move(cell, SLOT_SCRATCH, w->slot, rights);
        if (e != 0) {
            nx_grant_drop(SLOT_SCRATCH);
        }
    }
    return e;
}

void device_stop(const void *owner)
{
    for (unsigned i = 0; i < count; i++) {
        struct device *d = &devices[i];
        if (d->owner != owner || d->regs == NULL) {
            continue;
        }
        d->regs[VIRTIO_STATUS] = 0;
        for (unsigned n = 0; d->regs[VIRTIO_STATUS] != 0; n++) {
            if (n == RESET_LOOKS) {
                cell_log("virtio device %u does not reset", d->id);
                break;
            }
        }
    }
}
