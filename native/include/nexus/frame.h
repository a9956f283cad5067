/* Interface "frame.N": raw Ethernet frames of network device N.  Over a session (nexus/session.h) with a
 * pool, which the client divides into buffers for both directions as it likes.
 *
 * HELLO payload: struct nexus_frame_config.
 *
 *   SEND      buf_off, buf_len: a frame without checksum; answered when it has left.  Not repeated after
 *             a restart (ends with -NX_EPEER): a network may lose frames, and must not double them
 *   RECEIVE   buf_off, buf_len: room for a frame, mtu + 14 bytes at least; answered when one came,
 *             word32[1]: its length
 *
 * EVENT LINK: word32[0]: 1 the link is up, 0 down.  Errors: -NX_EINVAL (range, length), -NX_EBUSY (more
 * than `depth` requests of this type).
 */
#ifndef NEXUS_FRAME_H
#define NEXUS_FRAME_H

#include <nx/ring.h>

#define NEXUS_FRAME_SEND 1
#define NEXUS_FRAME_RECEIVE (2 | NX_TYPE_REPEATABLE)
#define NEXUS_FRAME_LINK 3

struct nexus_frame_config {
    uint8_t mac[6];
    uint16_t mtu;
    uint32_t link; /* 1: up */
    uint32_t depth;
};

#endif
