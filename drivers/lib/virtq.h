/* A split virtqueue (virtio 1.2, 2.7) for requests of a few segments.
 *
 * A request has a slot, 0 .. depth - 1, from virtq_reserve() to virtq_take().  Slot s always uses the same
 * descriptors: head s and a table of its own with indirect descriptors, `segs` in a row without.  So
 * there is no list of free descriptors that a device could damage, and what it says it used is a slot or
 * a lie.  Nothing of what the driver decides by is read back from memory the device can write to.
 *
 *     slot = virtq_reserve(q)             a free slot; fill headers that belong to it
 *     virtq_submit(q, slot, seg, n)       the device may see it
 *     virtq_kick(q)                       after one or more: tell the device, if it wants to hear
 *     virtq_take(q, &len)                 one the device is done with
 *     virtq_arm(q)                        before sleeping: interrupt me, and is there more already?
 */
#ifndef DRIVERS_VIRTQ_H
#define DRIVERS_VIRTQ_H

#include "dma.h"
#include "virtio.h"

#define VIRTQ_DEPTH_MAX 64u
#define VIRTQ_SEGS_MAX 16u

struct virtq_seg {
    uint64_t phys;
    uint32_t len;
    bool write; /* by the device; such segments stand last */
};

struct virtq_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};

struct virtq_slot {
    uint32_t writable; /* bytes the device may write */
    bool reserved;
    bool busy; /* submitted and not taken */
};

struct virtq {
    struct virtio *dev;
    uint16_t index;
    uint16_t num;   /* of descriptors, a power of two */
    uint16_t depth; /* slots: may be fewer than asked for */
    uint16_t segs;  /* descriptors of a slot */
    bool indirect, event_idx;
    uint16_t avail_idx, used_idx, kicked_idx;
    uint16_t busy;        /* slots */
    uint32_t table_check; /* of table_phys: a damaged one must not reach the device */
    volatile struct virtq_desc *desc, *table;
    uint64_t table_phys;
    volatile uint16_t *avail, *used;
    struct virtq_slot slot[VIRTQ_DEPTH_MAX];
};

/* Set up queue `index` with up to `depth` slots of up to `segs` segments, in memory of `dma`; between
 * virtio_start() and virtio_ready(), once for every start.  0, -NX_EIO, or -NX_ENOMEM. */
int virtq_init(struct virtq *q, struct virtio *dev, uint16_t index, uint16_t depth, uint16_t segs,
               struct dma *dma);
int virtq_reserve(struct virtq *q); /* a slot, or -NX_EFULL */
void virtq_unreserve(struct virtq *q, unsigned slot);
/* A segment outside of the driver's memory ends the cell (cell_panic): a device writes wherever it is told to. */
void virtq_submit(struct virtq *q, unsigned slot, const struct virtq_seg *seg, unsigned n);
void virtq_kick(struct virtq *q);
/* The slot the device is done with, free again, and how many bytes it wrote; -NX_EEMPTY, -NX_EIO. */
int virtq_take(struct virtq *q, uint32_t *len);
bool virtq_arm(struct virtq *q); /* true: take first */

static inline bool virtq_room(const struct virtq *q)
{
    return q->busy < q->depth;
}

#endif
