/* See blk.h. */
#include "blk.h"

#include <nx_base.h>
#include <string.h>

#define DEVICE_ID 2u

#define F_SIZE_MAX (1ul << 1)
#define F_SEG_MAX (1ul << 2)
#define F_RO (1ul << 5)
#define F_BLK_SIZE (1ul << 6)
#define F_FLUSH (1ul << 9)

/* Configuration fields. */
#define CONFIG_CAPACITY 0u
#define CONFIG_SIZE_MAX 8u
#define CONFIG_SEG_MAX 12u
#define CONFIG_BLK_SIZE 20u

#define T_IN 0u
#define T_OUT 1u
#define T_FLUSH 4u
#define T_GET_ID 8u
#define ID_BYTES 20u

#define ROUND (2 * BLK_DEPTH) /* requests looked at before the queue is again */

#define S_OK 0u
#define S_UNSUPP 2u
#define S_NONE 0xffu /* ours: the device has not written one */

struct blk_header {
    uint32_t type, reserved;
    uint64_t sector;
};
_Static_assert(sizeof(struct blk_header) == 16, "header layout");

/* ---- start ---- */

struct raw_config {
    uint64_t capacity;
    uint32_t size_max, seg_max, blk_size;
};

static void read_config(const struct virtio *v, void *to)
{
    *(struct raw_config *)to = (struct raw_config){
        .capacity = virtio_config64(v, CONFIG_CAPACITY),
        .size_max = virtio_has(v, F_SIZE_MAX) ? virtio_config32(v, CONFIG_SIZE_MAX) : UINT32_MAX,
        .seg_max = virtio_has(v, F_SEG_MAX) ? virtio_config32(v, CONFIG_SEG_MAX) : 1,
        .blk_size =
            virtio_has(v, F_BLK_SIZE) ? virtio_config32(v, CONFIG_BLK_SIZE) : NEXUS_BLOCK_SECTOR,
    };
}

static int configure(struct blk *b)
{
    struct virtio *v = &b->driver->virtio;
    struct raw_config raw;
    int e = virtio_config_read(v, read_config, &raw);
    if (e != 0) {
        return e;
    }
    if (raw.capacity > UINT64_MAX / NEXUS_BLOCK_SECTOR) {
        return virtio_fault(v, "an impossible capacity", raw.capacity);
    }
    if (raw.size_max < NEXUS_BLOCK_SECTOR || raw.seg_max == 0) {
        return virtio_fault(v, "requests without room for a sector", raw.size_max);
    }
    if (!nx_is_pow2(raw.blk_size) || raw.blk_size < NEXUS_BLOCK_SECTOR) {
        return virtio_fault(v, "an impossible block size", raw.blk_size);
    }
    const uint64_t pool = b->driver->servers[0].pool_size;
    const uint64_t segs = NX_MIN(raw.seg_max, BLK_DATA_SEGS);
    b->segment_max = ALIGN_DOWN(raw.size_max, NEXUS_BLOCK_SECTOR);
    uint64_t most = NX_MIN(NX_MIN(b->segment_max * segs, pool), (uint64_t)UINT32_MAX);
    b->config = (struct nexus_block_hello){
        .sectors = raw.capacity,
        .block_size = raw.blk_size,
        .max_request = (uint32_t)ALIGN_DOWN(most, NEXUS_BLOCK_SECTOR),
        .flags = (virtio_has(v, F_RO) ? NEXUS_BLOCK_READONLY : 0) |
                 (virtio_has(v, F_FLUSH) ? NEXUS_BLOCK_CACHED : 0),
        .depth = b->queue.depth,
    };
    return 0;
}

static int choose_memory(struct blk *b)
{
    struct dma *dma = &b->driver->dma;
    b->header = dma_alloc(dma, BLK_DEPTH * sizeof(*b->header), 16, &b->header_phys);
    b->status = dma_alloc(dma, BLK_DEPTH, 1, &b->status_phys);
    return b->header == NULL || b->status == NULL ? -NX_ENOMEM : 0;
}

int blk_start(struct blk *b, struct driver *driver)
{
    struct virtio *v = &driver->virtio;
    *b = (struct blk){.driver = driver};
    dma_reset(&driver->dma);
    int e = virtio_start(v, DEVICE_ID, F_SIZE_MAX | F_SEG_MAX | F_RO | F_BLK_SIZE | F_FLUSH);
    if (e == 0) {
        e = virtq_init(&b->queue, v, 0, BLK_DEPTH, BLK_DATA_SEGS + 2, &driver->dma);
    }
    if (e == 0) {
        e = choose_memory(b);
    }
    if (e == 0) {
        e = configure(b);
    }
    if (e == 0) {
        e = virtio_ready(v);
    }
    if (e == 0) {
        struct nx_slot hello = {0};
        nexus_block_hello_tell(&hello, &b->config);
        e = server_hello(&driver->servers[0], &hello);
    }
    return e;
}

/* ---- requests ---- */

/* `len` bytes at phys as segments the device takes: how many. */
static unsigned add_data(const struct blk *b, uint64_t phys, uint32_t len, bool write,
                         struct virtq_seg *seg)
{
    unsigned n = 0;
    for (uint32_t at = 0; at < len; at += seg[n++].len) {
        const uint32_t part = NX_MIN(len - at, b->segment_max);
        seg[n] = (struct virtq_seg){.phys = phys + at, .len = part, .write = write};
    }
    return n;
}

/* The device has it; it is answered when it is done. */
static int submit(struct blk *b, const struct nx_slot *request, uint32_t type, uint64_t sector,
                  uint64_t phys, uint32_t len)
{
    struct virtq_seg seg[BLK_DATA_SEGS + 2];
    const unsigned slot = (unsigned)virtq_reserve(&b->queue);
    b->request[slot] = *request;
    b->header[slot].type = type;
    b->header[slot].reserved = 0;
    b->header[slot].sector = sector;
    b->status[slot] = S_NONE;
    seg[0] = (struct virtq_seg){.phys = b->header_phys + slot * sizeof(struct blk_header),
                                .len = sizeof(struct blk_header)};
    unsigned n = 1 + add_data(b, phys, len, type != T_OUT, seg + 1);
    seg[n++] = (struct virtq_seg){.phys = b->status_phys + slot, .len = 1, .write = true};
    virtq_submit(&b->queue, slot, seg, n);
    return NEXUS_LATER;
}

static bool sectors_fit(const struct blk *b, uint64_t sector, uint32_t len)
{
    return len != 0 && len % NEXUS_BLOCK_SECTOR == 0 && len <= b->config.max_request &&
           nx_in_bounds(sector, len / NEXUS_BLOCK_SECTOR, b->config.sectors);
}

static int on_read(void *ctx, const struct nx_slot *request, const struct nexus_block_read *ask,
                   uint64_t phys, uint32_t len)
{
    struct blk *b = ctx;
    return sectors_fit(b, ask->sector, len) ? submit(b, request, T_IN, ask->sector, phys, len)
                                            : -NX_EINVAL;
}

static int on_write(void *ctx, const struct nx_slot *request, const struct nexus_block_write *ask,
                    uint64_t phys, uint32_t len)
{
    struct blk *b = ctx;
    if ((b->config.flags & NEXUS_BLOCK_READONLY) != 0) {
        return -NX_EPERM;
    }
    return sectors_fit(b, ask->sector, len) ? submit(b, request, T_OUT, ask->sector, phys, len)
                                            : -NX_EINVAL;
}

static int on_flush(void *ctx, const struct nx_slot *request)
{
    struct blk *b = ctx;
    if ((b->config.flags & NEXUS_BLOCK_CACHED) == 0) {
        return 0; /* there is no cache */
    }
    return submit(b, request, T_FLUSH, 0, 0, 0);
}

static int on_id(void *ctx, const struct nx_slot *request, uint64_t phys, uint32_t len)
{
    return len >= ID_BYTES ? submit(ctx, request, T_GET_ID, 0, phys, ID_BYTES) : -NX_EINVAL;
}

/* The device is done with a slot: its result, or -1 after a fault. */
static int result(struct blk *b, unsigned slot, uint32_t written)
{
    const struct nx_slot *r = &b->request[slot];
    const uint8_t status = b->status[slot];
    /* The status stands behind the data: what counts fewer bytes has not read it all. */
    const bool partial = r->type == NEXUS_BLOCK_READ && written <= r->buf_len;
    if (status == S_NONE || (status == S_OK && partial)) {
        virtio_fault(&b->driver->virtio, "a request ended that was not done", written);
        return -1;
    }
    if (status == S_OK) {
        return 0;
    }
    return status == S_UNSUPP ? -NX_ENOSYS : -NX_EIO;
}

static int finish(struct blk *b)
{
    struct nexus_server *s = &b->driver->servers[0];
    uint32_t written;
    int slot, e = 0;
    while (e == 0 && (slot = virtq_take(&b->queue, &written)) >= 0) {
        int outcome = result(b, (unsigned)slot, written);
        if (b->driver->virtio.fault != NULL) {
            return -NX_EIO;
        }
        const struct nx_slot *r = &b->request[slot];
        if (r->type == NEXUS_BLOCK_ID && outcome == 0 && !server_renewing(s)) {
            uint8_t *id = server_at(s, r->buf_off, r->buf_len);
            if (id == NULL) {
                outcome = -NX_ENOMEM;
            } else {
                memset(id + ID_BYTES, 0, r->buf_len - ID_BYTES);
            }
        }
        e = server_reply(s, r, outcome, NULL);
    }
    return e != 0 ? e : slot == -NX_EEMPTY ? 0 : slot;
}

static int begin(struct blk *b)
{
    static const struct nexus_block_device_ops ops = {
        .read = on_read, .write = on_write, .flush = on_flush, .id = on_id};
    struct nexus_server *s = &b->driver->servers[0];
    struct nx_slot r;
    for (unsigned i = 0; i < ROUND && virtq_room(&b->queue); i++) {
        int e = server_take(s, &r);
        if (e != 1) {
            return e;
        }
        e = nexus_block_device_serve(s, &r, &ops, b);
        if (e != 0 && e != NEXUS_LATER) {
            return e;
        }
    }
    return 0;
}

int blk_service(void *blk, bool config)
{
    struct blk *b = blk;
    int e = finish(b);
    if (e == 0) {
        e = begin(b);
        virtq_kick(&b->queue);
    }
    return e != 0 ? e : virtq_arm(&b->queue);
}
