/* Devices: those of the device tree that manifests name, and what is behind each virtio window.
 *
 * A device belongs to one cell: the first that wants it, over all its lives.  Its registers and its
 * interrupt are made afresh for every life; nobody else, the supervisor included, holds them meanwhile. */
#ifndef SUPERVISOR_DEVICE_H
#define SUPERVISOR_DEVICE_H

#include "tree.h"

#include <nx/manifest.h>

#define VIRTIO_MMIO "virtio,mmio" /* compatible; its windows are told apart by their device id */

struct device {
    char what[32];
    uint32_t id;             /* virtio's, else 0 */
    struct tree_device tree; /* where it is */
    const void *owner;       /* the struct service, or NULL */
    volatile uint32_t *regs; /* of a virtio device: mapped, to reset it */
};

void device_init(const void *fdt);

/* How many there are that this want means, whoever owns them. */
unsigned device_count(const struct nx_want *w);

/* The one that `owner` has for this want, or the first that nobody has, which is his from now on; NULL
 * when there is none left. */
struct device *device_claim(const struct nx_want *w, const void *owner);

/* The one that `owner` has for this want, or NULL. */
struct device *device_of(const struct nx_want *w, const void *owner);

/* Put its registers or its interrupt, as w->kind says, into slot w->slot of a cell.  0 or -NX_E*. */
long device_give(const struct device *d, const struct nx_want *w, unsigned cell);

/* Make all devices of an owner stop what they do, DMA above all: his cell is dead.  Only virtio devices
 * are known well enough. */
void device_stop(const void *owner);

#endif
