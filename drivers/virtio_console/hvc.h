/* A virtio console (virtio 1.2, 5.3; one port) between two rings that speak nexus/console.h: everything
 * but sleeping and ringing.
 *
 * Output: a message's bytes are copied to memory of the device's and given to it; the slot is released
 * when the device is done with them.  Input: buffers wait at the device; one that came is passed on and
 * goes back when all of it is in the ring, so a full ring holds the host back.
 *
 * Crash: the consumer's own end of the output ring holds a note, the index of the first slot that was not
 * given to the device, written before the device is told.  The successor goes on there: nothing is
 * repeated, and what is lost is what was noted and not yet out when the device was reset.
 */
#ifndef HVC_H
#define HVC_H

#include "driver.h"
#include "virtq.h"

#define HVC_DEPTH 32u /* buffers each way */
#define HVC_INPUT 64u /* bytes of an input buffer */

struct hvc {
    struct driver *driver;
    struct nx_ring *from, *to; /* output, from the client; input, to it */
    struct virtq rx, tx;
    uint8_t *rx_data, *tx_data; /* by slot, the device's too */
    uint64_t rx_phys, tx_phys;
    /* Output: slots [from->own, next) of the ring are at the device, each as bit of `done` when it is
     * through; malformed ones are through at once. */
    uint32_t next;
    uint64_t done;
    uint32_t tx_index[HVC_DEPTH]; /* by slot: ring index of its message */
    /* Input: the slots that came, in order, and how far the first is passed on. */
    uint8_t came[HVC_DEPTH], came_len[HVC_DEPTH];
    uint32_t came_head, came_tail, passed;
    uint32_t skipped; /* malformed messages */
};

int hvc_start(struct hvc *h, struct driver *driver, struct nx_ring *from, struct nx_ring *to);
/* As a driver's service(), but for the rings' bells. */
int hvc_service(void *hvc, bool config);
bool hvc_input_waits(const struct hvc *h); /* for room in the ring */
bool hvc_output_fits(const struct hvc *h); /* the device takes more messages */

#endif
