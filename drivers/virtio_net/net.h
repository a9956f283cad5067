/* A virtio network device (virtio 1.2, 5.1) between a session and its two queues: frames, no offloads.
 *
 * RECEIVE requests stay in the receive queue until a frame comes.  When the client is a new one they are
 * taken back by a reset of the device.
 */
#ifndef NET_H
#define NET_H

#include "driver.h"
#include "virtq.h"

#include <nexus/frame.h>

#define NET_DEPTH 64u /* of each direction; power of two, <= VIRTQ_DEPTH_MAX */
#define NET_FRAME_MIN 14u

struct net {
    struct nx_slot rx_request[NET_DEPTH], tx_request[NET_DEPTH]; /* by slot */
    struct driver *driver;
    struct virtq rx, tx;
    struct nexus_frame_hello config;
    uint64_t header_phys;    /* one header of zeros for all frames that are sent; */
    uint64_t rx_header_phys; /* where the device puts those of received ones, by slot */
    uint32_t frame_max;      /* bytes of the longest frame */
    bool link_due;           /* the client has not been told of the link's state */
    bool rx_used[NET_DEPTH]; /* slot holds a request */
    bool tx_used[NET_DEPTH];
};

/* Bring the device up and say HELLO.  driver: registers, memory and one open session, whose backlog has
 * room for 2 NET_DEPTH. */
int net_start(struct net *n, struct driver *driver);
int net_service(void *net, bool config);

#endif
