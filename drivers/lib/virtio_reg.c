/* Register access of the real device.  See virtio_reg.h. */
#include "virtio_reg.h"

#include <mmio.h>

uint8_t virtio_reg_read8(const struct virtio_regs *r, uint32_t offset)
{
    return mmio_read8(r->base + offset);
}

uint16_t virtio_reg_read16(const struct virtio_regs *r, uint32_t offset)
{
    return mmio_read16(r->base + offset);
}

uint32_t virtio_reg_read32(const struct virtio_regs *r, uint32_t offset)
{
    return mmio_read32(r->base + offset);
}

void virtio_reg_write8(const struct virtio_regs *r, uint32_t offset, uint8_t v)
{
    mmio_write8(r->base + offset, v);
}

void virtio_reg_write32(const struct virtio_regs *r, uint32_t offset, uint32_t v)
{
    mmio_write32(r->base + offset, v);
}
