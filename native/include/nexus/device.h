/* What a driver's cell learns of its device beside the capabilities: the `arg` of its info page, filled
 * by the supervisor from the device tree, for the device of the manifest's first DEVMEM line.
 *
 *   bits  0..11  byte offset of the first register in the first page of the DEVMEM capability
 *   bits 12..15  reg-shift: registers are 1 << reg-shift bytes apart
 *   bits 16..19  reg-io-width: bytes of one register access; 1 when the tree does not say
 */
#ifndef NEXUS_DEVICE_H
#define NEXUS_DEVICE_H

#include <stdint.h>

/* The supervisor's: what a device at this physical address, with these properties, is told as. */
static inline uint64_t nexus_device_arg(uint64_t address, unsigned shift, unsigned width)
{
    return (address & 0xfff) | (uint64_t)(shift & 15) << 12 | (uint64_t)(width & 15) << 16;
}

/* Byte offset of the first register in the first page of the register window. */
static inline unsigned nexus_device_offset(uint64_t arg)
{
    return arg & 0xfff;
}

/* Registers are 1 << this many bytes apart. */
static inline unsigned nexus_device_shift(uint64_t arg)
{
    return arg >> 12 & 15;
}

/* Bytes of one register access. */
static inline unsigned nexus_device_width(uint64_t arg)
{
    return arg >> 16 & 15;
}

#endif
