/* What every virtio driver cell does beside its own work: take its capabilities, wait for the interrupt or
 * a client, and end with the right words.
 *
 *     driver_open()       registers and DMA memory; then the driver brings its device up
 *     driver_run()        for ever: service, flush, sleep
 *
 * The driver's own part is service(): do all that can be done now without waiting.
 */
#ifndef DRIVERS_DRIVER_H
#define DRIVERS_DRIVER_H

#include "dma.h"
#include "virtio.h"

#include <nexus/session.h>

/* Where the manifest of a driver puts its capabilities. */
enum { DRIVER_SLOT_REGS, DRIVER_SLOT_IRQ, DRIVER_SLOT_DMA, DRIVER_SLOT_SERVE };

/* Exit code: the device did what none does. */
#define DRIVER_EXIT_DEVICE 2

struct driver {
    struct virtio virtio;
    struct dma dma;
    struct nexus_server *servers; /* its sessions */
    unsigned server_count;
    void *self; /* the driver's */
    /* config: the device says that its configuration changed.  > 0: call again before sleeping; 0;
     * -NX_EIO after virtio_fault(), -NX_EPEER from a session. */
    int (*service)(void *self, bool config);
};

/* arg: of the cell's info page.  Ends the cell when something is missing. */
void driver_open(struct driver *d, uint64_t arg);
_Noreturn void driver_run(struct driver *d);

/* Are these bytes, as the device sees them, in the driver's memory for it or in a client's pool? */
bool driver_reaches(const struct virtio *v, uint64_t phys, uint64_t len);

/* Parts of driver_run, for a driver that serves something else than sessions. */
/* Hear the interrupt: true when the configuration changed.  Ends the cell when the device gave up. */
bool driver_interrupt(struct driver *d);
/* End the cell for error `e`, and say why. */
_Noreturn void driver_fail(struct driver *d, int e);

#endif
