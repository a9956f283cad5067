/* A virtio block device (virtio 1.2, 5.2) between a session and its queue: everything but sleeping.
 *
 * Every request of the client is one request of the device, of one contiguous piece of the pool; nothing
 * is split, joined or reordered here.  A write is answered after the device has said that it is done.
 */
#ifndef BLK_H
#define BLK_H

#include "driver.h"
#include "virtq.h"

#include <nexus/block.h>

#define BLK_DEPTH 32u /* power of two, <= VIRTQ_DEPTH_MAX */
#define BLK_DATA_SEGS 8u

struct blk {
    struct driver *driver;
    struct virtq queue;
    struct nexus_block_hello config;
    uint32_t segment_max; /* bytes of one segment */
    /* What the device reads and writes, by slot. */
    volatile struct blk_header *header;
    volatile uint8_t *status;
    uint64_t header_phys, status_phys;
    struct nx_slot request[BLK_DEPTH]; /* by slot */
};

/* Bring the device up and say HELLO.  driver: registers, memory and one open session. */
int blk_start(struct blk *b, struct driver *driver);
int blk_service(void *blk, bool config); /* as struct driver wants it */

#endif
