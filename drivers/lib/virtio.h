/* A virtio device on the memory-mapped transport, modern only (version 2; virtio 1.2, 3.1 and 4.2).
 *
 *     virtio_start()   reset, wait for it, ACKNOWLEDGE, DRIVER, features, FEATURES_OK
 *     virtq_init()     each queue (virtq.h)
 *     virtio_ready()   DRIVER_OK
 *
 * Every life of a driver begins with virtio_start(), so nothing a predecessor gave to the device is used
 * by it afterwards.
 *
 * The device is hostile.  What it says is checked; what cannot be is a fault: virtio_fault() keeps the
 * first reason, gives the device up (FAILED) and answers the error that ends the driver's cell.  It is
 * not for requests that merely fail.
 */
#ifndef DRIVERS_VIRTIO_H
#define DRIVERS_VIRTIO_H

#include "virtio_reg.h"

#include <stdbool.h>

/* Feature bits of every device. */
#define VIRTIO_F_INDIRECT_DESC (1ul << 28)
#define VIRTIO_F_EVENT_IDX (1ul << 29)
#define VIRTIO_F_VERSION_1 (1ul << 32)

#define VIRTIO_STATUS_ACKNOWLEDGE 1u
#define VIRTIO_STATUS_DRIVER 2u
#define VIRTIO_STATUS_DRIVER_OK 4u
#define VIRTIO_STATUS_FEATURES_OK 8u
#define VIRTIO_STATUS_NEEDS_RESET 64u
#define VIRTIO_STATUS_FAILED 128u

#define VIRTIO_INTERRUPT_USED 1u
#define VIRTIO_INTERRUPT_CONFIG 2u

struct virtio { /* of a struct driver */
    struct virtio_regs regs;
    uint64_t features;   /* as agreed */
    const char *fault;   /* NULL: none so far */
    uint64_t fault_with; /* the value that was wrong */
};

/* Bring the device of this id to FEATURES_OK with those of the wanted features it has; VERSION_1 is
 * required, INDIRECT_DESC and EVENT_IDX are taken where offered.  0 or -NX_EIO. */
int virtio_start(struct virtio *v, uint32_t id, uint64_t wanted);
/* The queues are set up: go.  0 or -NX_EIO. */
int virtio_ready(struct virtio *v);
/* After an interrupt: what it was for (VIRTIO_INTERRUPT_*), acknowledged in the device. */
uint32_t virtio_interrupt(struct virtio *v);
/* After a configuration interrupt: does the device still work?  0 or -NX_EIO. */
int virtio_alive(struct virtio *v);

static inline bool virtio_has(const struct virtio *v, uint64_t feature)
{
    return (v->features & feature) != 0;
}

/* The device did what none does.  `what` is a constant text; -NX_EIO. */
int virtio_fault(struct virtio *v, const char *what, uint64_t value);

/* Fields of the device's configuration, by offset in it; one outside the window reads as 0. */
uint8_t virtio_config8(const struct virtio *v, uint32_t offset);
uint16_t virtio_config16(const struct virtio *v, uint32_t offset);
uint32_t virtio_config32(const struct virtio *v, uint32_t offset);
uint64_t virtio_config64(const struct virtio *v, uint32_t offset);
void virtio_config_write8(const struct virtio *v, uint32_t offset, uint8_t value);
void virtio_config_write32(const struct virtio *v, uint32_t offset, uint32_t value);
/* Read several fields that belong together: `read` is called again while the device changes them.
 * 0 or -NX_EIO. */
int virtio_config_read(struct virtio *v, void (*read)(const struct virtio *v, void *to), void *to);

#endif
