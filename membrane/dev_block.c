/* Disks: interface "block.N" (nexus/block.h). */
#include "devices.h"

#include <nx_base.h>

#include <nexus/block.h>
#include <string.h>

struct entry {
    struct nexus_request r; /* first */
    struct mb_block_request *owner;
    struct entry *next; /* free */
    struct disk_dev *disk;
};

struct disk_dev {
    struct device d;
    struct mb_block_config config;
    struct entry *free;
    struct entry entry[MB_BLOCK_REQUESTS];
};

static struct disk_dev *disks[MB_BLOCKS];

static bool hello(struct device *d, const struct nx_slot *slot)
{
    struct disk_dev *disk = container_of(d, struct disk_dev, d);
    struct nexus_block_hello c;
    memcpy(&c, slot->payload, sizeof(c));
    if (d->client.pool == NULL || c.max_request < MB_PAGE || c.block_size % 512 != 0) {
        return false;
    }
    disk->config = (struct mb_block_config){.sectors = c.sectors,
                                            .block_size = c.block_size,
                                            .max_request = c.max_request,
                                            .readonly = (c.flags & NEXUS_BLOCK_READONLY) != 0,
                                            .cached = (c.flags & NEXUS_BLOCK_CACHED) != 0};
    return true;
}

static struct disk_dev *disk_there(unsigned disk)
{
    return disk < MB_BLOCKS && disks[disk] != NULL && disks[disk]->d.there ? disks[disk] : NULL;
}

int mb_block_config(unsigned disk, struct mb_block_config *out)
{
    const struct disk_dev *d = disk_there(disk);
    if (d == NULL) {
        return -ENODEV;
    }
    *out = d->config;
    return 0;
}

uint8_t *mb_block_pool(unsigned disk, size_t *size)
{
    const struct disk_dev *d = disk_there(disk);
    *size = d != NULL ? d->d.client.pool_size : 0;
    return d != NULL ? d->d.client.pool : NULL;
}

static void done(struct nexus_request *r, int result, const struct nx_slot *reply)
{
    struct entry *e = (struct entry *)r;
    struct mb_block_request *owner = e->owner;
    e->next = e->disk->free;
    e->disk->free = e;
    owner->done(owner, driver_errno(result));
}

int mb_block_submit(unsigned disk, struct mb_block_request *rq)
{
    static const uint16_t type[] = {[MB_BLOCK_READ] = NEXUS_BLOCK_READ,
                                    [MB_BLOCK_WRITE] = NEXUS_BLOCK_WRITE,
                                    [MB_BLOCK_FLUSH] = NEXUS_BLOCK_FLUSH};
    struct disk_dev *d = disk_there(disk);
    if (d == NULL) {
        return -ENODEV;
    }
    struct entry *e = d->free;
    if (e == NULL) {
        return -EAGAIN;
    }
    e->r.slot = (struct nx_slot){.type = type[rq->op], .buf_off = rq->off, .buf_len = rq->len};
    e->r.slot.word[0] = rq->sector;
    e->r.done = done;
    e->owner = rq;
    d->free = e->next;
    int err =
        driver_ask(&d->d, &e->r, rq->op == MB_BLOCK_FLUSH ? NEXUS_PATIENCE_FLUSH : NEXUS_PATIENCE);
    if (err < 0) {
        e->next = d->free;
        d->free = e;
    }
    return err;
}

void block_init(void)
{
    for (unsigned i = 0; i < MB_BLOCKS; i++) {
        struct disk_dev *d =
            driver_open(MB_SLOT_BLOCK + 3 * i, sizeof(*d), offsetof(struct disk_dev, d),
                        MB_DEV_BLOCK, i, hello, NULL);
        for (unsigned k = 0; d != NULL && k < MB_BLOCK_REQUESTS; k++) {
            d->entry[k].disk = d;
            d->entry[k].next = d->free;
            d->free = &d->entry[k];
        }
        disks[i] = d;
    }
}
