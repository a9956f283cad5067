/* See virtq.h.
 *
 *     available ring, halfwords:  flags  idx  ring[num]                 used_event
 *     used ring, halfwords:       flags  idx  ring[num] of 4 halfwords  avail_event
 */
#include "virtq.h"

#include "driver.h"

#include <nexus/cell.h>
#include <nx/fence.h>
#include <nx/types.h>
#include <string.h>

#define DESC_NEXT 1u
#define DESC_WRITE 2u
#define DESC_INDIRECT 4u

#define USED_NO_NOTIFY 1u

#define IDX 1u
#define RING 2u

static volatile uint16_t *used_event(const struct virtq *q)
{
    return &q->avail[RING + q->num];
}

static uint16_t avail_event(const struct virtq *q)
{
    return q->used[RING + 4u * q->num];
}

static uint16_t used_idx(const struct virtq *q)
{
    return q->used[IDX];
}

/* ---- set up ---- */

static void write_address(const struct virtio *v, uint32_t reg, uint64_t phys)
{
    virtio_reg_write32(&v->regs, reg, (uint32_t)phys);
    virtio_reg_write32(&v->regs, reg + 4, (uint32_t)(phys >> 32));
}

static volatile void *zeroed(struct dma *dma, size_t size, size_t align, uint64_t *phys)
{
    void *at = dma_alloc(dma, size, align, phys);
    if (at != NULL) {
        memset(at, 0, size);
    }
    return at;
}

/* How many descriptors, and with that how many slots: 0 or -NX_EIO. */
static int choose_size(struct virtq *q, uint16_t depth)
{
    uint32_t max = virtio_reg_read32(&q->dev->regs, VIRTIO_QUEUE_NUM_MAX);
    const uint32_t each = q->indirect ? 1 : q->segs;
    const uint32_t want = (uint32_t)depth * each;
    if (max < each) {
        return virtio_fault(q->dev, "a queue is too short", max);
    }
    max = 1u << nx_log2(NX_MIN(max, 32768u));
    uint32_t num = 1;
    while (num < want && num < max) {
        num *= 2;
    }
    q->num = (uint16_t)num;
    q->depth = (uint16_t)NX_MIN(num / each, (uint32_t)depth);
    return q->depth != 0 ? 0 : virtio_fault(q->dev, "a queue is too short", max);
}

/* Another one for each address that differs in one bit. */
static uint32_t check_of(uint64_t phys)
{
    return ~(uint32_t)(phys ^ phys >> 32);
}

static int choose_memory(struct virtq *q, struct dma *dma)
{
    uint64_t desc, avail, used;
    q->desc = zeroed(dma, (size_t)q->num * sizeof(*q->desc), 16, &desc);
    q->avail = zeroed(dma, 2u * (RING + q->num + 1u), 2, &avail);
    q->used = zeroed(dma, 2u * (RING + 4u * q->num + 1u), 4, &used);
    if (q->indirect) {
        q->table = zeroed(dma, (size_t)q->depth * q->segs * sizeof(*q->table), 16, &q->table_phys);
        q->table_check = check_of(q->table_phys);
    }
    if (q->desc == NULL || q->avail == NULL || q->used == NULL ||
        (q->indirect && q->table == NULL)) {
        return -NX_ENOMEM;
    }
    write_address(q->dev, VIRTIO_QUEUE_DESC, desc);
    write_address(q->dev, VIRTIO_QUEUE_DRIVER, avail);
    write_address(q->dev, VIRTIO_QUEUE_DEVICE, used);
    return 0;
}

int virtq_init(struct virtq *q, struct virtio *dev, uint16_t index, uint16_t depth, uint16_t segs,
               struct dma *dma)
{
    *q = (struct virtq){.dev = dev, .index = index, .segs = segs};
    if (depth == 0 || depth > VIRTQ_DEPTH_MAX || segs == 0 || segs > VIRTQ_SEGS_MAX) {
        return -NX_EINVAL;
    }
    q->indirect = segs > 1 && virtio_has(dev, VIRTIO_F_INDIRECT_DESC);
    q->event_idx = virtio_has(dev, VIRTIO_F_EVENT_IDX);
    virtio_reg_write32(&dev->regs, VIRTIO_QUEUE_SEL, index);
    uint32_t ready = virtio_reg_read32(&dev->regs, VIRTIO_QUEUE_READY);
    if (ready != 0) {
        return virtio_fault(dev, "a queue is in use after the reset", index);
    }
    int e = choose_size(q, depth);
    if (e == 0) {
        e = choose_memory(q, dma);
    }
    if (e == 0) {
        nx_fence_publish(); /* the queue is empty before the device looks at it */
        virtio_reg_write32(&dev->regs, VIRTIO_QUEUE_NUM, q->num);
        virtio_reg_write32(&dev->regs, VIRTIO_QUEUE_READY, 1);
    }
    return e;
}

/* ---- to the device ---- */

int virtq_reserve(struct virtq *q)
{
    for (unsigned s = 0; s < q->depth; s++) {
        if (!q->slot[s].reserved) {
            q->slot[s].reserved = true;
            return (int)s;
        }
    }
    return -NX_EFULL;
}

void virtq_unreserve(struct virtq *q, unsigned slot)
{
    q->slot[slot].reserved = false;
}

static uint32_t write_chain(const struct virtq *q, volatile struct virtq_desc *to, uint16_t first,
                            const struct virtq_seg *seg, unsigned n)
{
    uint32_t writable = 0;
    for (unsigned i = 0; i < n; i++) {
        if (!driver_reaches(q->dev, seg[i].phys, seg[i].len)) {
            cell_panic("a request for the device leaves the driver's memory: damaged");
        }
        to[i].addr = seg[i].phys;
        to[i].len = seg[i].len;
        to[i].flags = (i + 1 < n ? DESC_NEXT : 0) | (seg[i].write ? DESC_WRITE : 0);
        to[i].next = i + 1 < n ? (uint16_t)(first + i + 1) : 0;
        writable += seg[i].write ? seg[i].len : 0;
    }
    return writable;
}

void virtq_submit(struct virtq *q, unsigned slot, const struct virtq_seg *seg, unsigned n)
{
    struct virtq_slot *s = &q->slot[slot];
    uint16_t head = (uint16_t)(q->indirect ? slot : slot * q->segs);
    if (q->indirect) {
        const size_t at = (size_t)slot * q->segs;
        if (q->table_check != check_of(q->table_phys)) {
            cell_panic("the table's address for the device is damaged");
        }
        s->writable = write_chain(q, q->table + at, 0, seg, n);
        q->desc[head].addr = q->table_phys + at * sizeof(*q->table);
        q->desc[head].len = n * (uint32_t)sizeof(*q->table);
        q->desc[head].flags = DESC_INDIRECT;
        q->desc[head].next = 0;
    } else {
        s->writable = write_chain(q, q->desc + head, head, seg, n);
    }
    s->reserved = s->busy = true;
    q->busy++;
    q->avail[RING + (q->avail_idx & (q->num - 1u))] = head;
    nx_fence_publish();
    q->avail[IDX] = ++q->avail_idx;
}

void virtq_kick(struct virtq *q)
{
    const uint16_t now = q->avail_idx, before = q->kicked_idx;
    if (now == before) {
        return;
    }
    q->kicked_idx = now;
    nx_fence_full(); /* the index is out before the device's wish is read */
    bool wanted = q->event_idx ? (uint16_t)(now - avail_event(q) - 1) < (uint16_t)(now - before)
                               : (q->used[0] & USED_NO_NOTIFY) == 0;
    if (wanted) {
        virtio_reg_write32(&q->dev->regs, VIRTIO_QUEUE_NOTIFY, q->index);
    }
}

/* ---- from the device ---- */

int virtq_take(struct virtq *q, uint32_t *len)
{
    const uint16_t waiting = (uint16_t)(used_idx(q) - q->used_idx);
    if (waiting == 0) {
        return -NX_EEMPTY;
    }
    if (waiting > q->busy) {
        return virtio_fault(q->dev, "more used buffers than there are", waiting);
    }
    nx_fence_observe();
    const volatile uint32_t *element =
        (const volatile uint32_t *)&q->used[RING + 4u * (q->used_idx & (q->num - 1u))];
    const uint32_t id = element[0], n = element[1];
    const uint32_t each = q->indirect ? 1 : q->segs;
    const uint32_t slot = id / each;
    if (slot >= q->depth || id % each != 0 || !q->slot[slot].busy) {
        return virtio_fault(q->dev, "a used buffer it did not have", id);
    }
    if (n > q->slot[slot].writable) {
        return virtio_fault(q->dev, "more written than there was room", n);
    }
    q->used_idx++;
    q->busy--;
    q->slot[slot] = (struct virtq_slot){0};
    *len = n;
    return (int)slot;
}

bool virtq_arm(struct virtq *q)
{
    if (q->event_idx) {
        *used_event(q) = q->used_idx;
        nx_fence_full(); /* the wish is out before we look again */
    }
    return used_idx(q) != q->used_idx;
}
