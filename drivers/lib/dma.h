/* Memory the device reads and writes: a bump allocator over physically contiguous memory (a DMA want of
 * the manifest).  Nothing is given back; dma_reset() forgets all, for a device that was reset.
 *
 * What lies in it the device may change at any time: read once, check the copy, keep what counts
 * elsewhere.
 */
#ifndef DRIVERS_DMA_H
#define DRIVERS_DMA_H

#include <stddef.h>
#include <stdint.h>

#include <nx_base.h>

struct dma {
    uint8_t *base;
    uint64_t phys;
    size_t size, used;
};

static inline void dma_reset(struct dma *d)
{
    d->used = 0;
}

/* `size` bytes, aligned, not zeroed: NULL when there are no more.  *phys: where the device sees them. */
static inline void *dma_alloc(struct dma *d, size_t size, size_t align, uint64_t *phys)
{
    uint64_t at;
    if (nx_align_up(d->used, align, &at) || !nx_in_bounds(at, size, d->size)) {
        return NULL;
    }
    d->used = at + size;
    *phys = d->phys + at;
    return d->base + at;
}

#endif
