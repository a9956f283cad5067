/* See driver.h. */
#include "driver.h"

#include <nexus/cell.h>
#include <nexus/device.h>
#include <nexus/exit.h>
#include <nx/sys.h>

/* ---- start ---- */

void driver_open(struct driver *d, uint64_t arg)
{
    int e;
    size_t size;
    uint8_t *regs = cell_map(DRIVER_SLOT_REGS, NX_PROT_R | NX_PROT_W, &size, &e);
    if (e != 0) {
        cell_panic("no registers: error %d", -e);
    }
    const unsigned offset = nexus_device_offset(arg);
    d->virtio.regs = (struct virtio_regs){.base = regs + offset, .size = size - offset};
    d->dma = (struct dma){0};
    d->dma.base = cell_map(DRIVER_SLOT_DMA, NX_PROT_R | NX_PROT_W, &d->dma.size, &e);
    if (e != 0) {
        cell_panic("no memory for the device: error %d", -e);
    }
    long phys = nx_meta_phys(DRIVER_SLOT_DMA, 0);
    if (phys < 0) {
        cell_panic("the memory for the device has no address: error %ld", -phys);
    }
    d->dma.phys = (uint64_t)phys;
}

/* ---- end ---- */

_Noreturn void driver_fail(struct driver *d, int e)
{
    if (d->virtio.fault != NULL) {
        cell_log("device fault: %s (%#lx)", d->virtio.fault, (unsigned long)d->virtio.fault_with);
        cell_exit(DRIVER_EXIT_DEVICE);
    }
    for (unsigned i = 0; i < d->server_count; i++) {
        const struct channel *ch = &d->servers[i].ch;
        if (ch->in.error != 0 || ch->out.error != 0) {
            cell_log("client %u broke the ring protocol", i);
            cell_exit(NEXUS_EXIT_PEER | ch->in_slot);
        }
    }
    cell_panic("error %d", -e);
}

/* ---- work ---- */

bool driver_interrupt(struct driver *d)
{
    const uint32_t why = virtio_interrupt(&d->virtio);
    nx_mask_ack(DRIVER_SLOT_IRQ);
    const bool config = (why & VIRTIO_INTERRUPT_CONFIG) != 0;
    if (config && virtio_alive(&d->virtio) != 0) {
        driver_fail(d, -NX_EIO);
    }
    return config;
}

static void flush(struct driver *d)
{
    for (unsigned i = 0; i < d->server_count; i++) {
        int e = server_flush(&d->servers[i]);
        if (e != 0) {
            driver_fail(d, e);
        }
    }
}

static bool may_sleep(struct driver *d)
{
    for (unsigned i = 0; i < d->server_count; i++) {
        int n = server_sleep_prepare(&d->servers[i]);
        if (n < 0) {
            driver_fail(d, n);
        }
        if (n > 0) {
            return false;
        }
    }
    return true;
}

_Noreturn void driver_run(struct driver *d)
{
    uint64_t watch = 1ul << DRIVER_SLOT_IRQ;
    for (unsigned i = 0; i < d->server_count; i++) {
        watch |= server_watch(&d->servers[i]);
    }
    bool irq = true; /* the first acknowledgement lets interrupts in */
    for (;;) {
        const bool config = irq && driver_interrupt(d);
        irq = false;
        int n = d->service(d->self, config);
        if (n < 0) {
            driver_fail(d, n);
        }
        flush(d);
        if (n == 0 && may_sleep(d)) {
            irq = nx_recv_wait(watch, NX_NEVER) == DRIVER_SLOT_IRQ;
        }
        for (unsigned i = 0; i < d->server_count; i++) {
            server_awake(&d->servers[i]);
        }
    }
}
