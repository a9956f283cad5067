/* The registers of a virtio device on the memory-mapped transport, by offset (virtio 1.2, 4.2.2).
 * virtio_reg.c reaches the device; unit tests put a model here.
 *
 * Offsets are not checked here: virtio.c asks only for those in the window.
 */
#ifndef VIRTIO_REG_H
#define VIRTIO_REG_H

#include <stddef.h>
#include <stdint.h>

struct virtio_regs {
    volatile uint8_t *base;
    size_t size; /* bytes from base that are the device's */
};

enum virtio_reg {
    VIRTIO_MAGIC = 0x000,
    VIRTIO_VERSION = 0x004,
    VIRTIO_DEVICE_ID = 0x008,
    VIRTIO_DEVICE_FEATURES = 0x010,
    VIRTIO_DEVICE_FEATURES_SEL = 0x014,
    VIRTIO_DRIVER_FEATURES = 0x020,
    VIRTIO_DRIVER_FEATURES_SEL = 0x024,
    VIRTIO_QUEUE_SEL = 0x030,
    VIRTIO_QUEUE_NUM_MAX = 0x034,
    VIRTIO_QUEUE_NUM = 0x038,
    VIRTIO_QUEUE_READY = 0x044,
    VIRTIO_QUEUE_NOTIFY = 0x050,
    VIRTIO_INTERRUPT_STATUS = 0x060,
    VIRTIO_INTERRUPT_ACK = 0x064,
    VIRTIO_STATUS = 0x070,
    VIRTIO_QUEUE_DESC = 0x080,   /* low word; high word at + 4 */
    VIRTIO_QUEUE_DRIVER = 0x090, /* available ring */
    VIRTIO_QUEUE_DEVICE = 0x0a0, /* used ring */
    VIRTIO_CONFIG_GENERATION = 0x0fc,
    VIRTIO_CONFIG = 0x100,
};

#define VIRTIO_MAGIC_VALUE 0x74726976u /* "virt" */

uint8_t virtio_reg_read8(const struct virtio_regs *r, uint32_t offset);
uint16_t virtio_reg_read16(const struct virtio_regs *r, uint32_t offset);
uint32_t virtio_reg_read32(const struct virtio_regs *r, uint32_t offset);
void virtio_reg_write8(const struct virtio_regs *r, uint32_t offset, uint8_t v);
void virtio_reg_write32(const struct virtio_regs *r, uint32_t offset, uint32_t v);

#endif
