/* Device registers.  The only way drivers touch them.
 *
 * mmio_readN, mmio_writeN: one access of exactly N bits, never merged, split or moved.  What the driver
 * wrote to memory before a register write is there for the device when it sees that write (descriptors
 * before a doorbell); what the device put into memory before a register read's answer is read after it.
 */
#ifndef DRIVERS_MMIO_H
#define DRIVERS_MMIO_H

#include <stdint.h>

#include <mmio_arch.h>

#define MMIO_ACCESS(bits)                                                     \
    static inline uint##bits##_t mmio_read##bits(const volatile void *reg)    \
    {                                                                         \
        uint##bits##_t v = *(const volatile uint##bits##_t *)reg;             \
        mmio_arch_after_read();                                               \
        return v;                                                             \
    }                                                                         \
    static inline void mmio_write##bits(volatile void *reg, uint##bits##_t v) \
    {                                                                         \
        mmio_arch_before_write();                                             \
        *(volatile uint##bits##_t *)reg = v;                                  \
    }

MMIO_ACCESS(8)
MMIO_ACCESS(16)
MMIO_ACCESS(32)

#undef MMIO_ACCESS

#endif
