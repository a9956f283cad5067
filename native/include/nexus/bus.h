/* Rings under /Bus, for Linux programs: what a program and the personality agree on.  nexus/ring.h is the client.
 *
 * A cell that serves interface "ring.N" (N 0 to 3) is the file /Bus/ring.N.  Whoever opens it (one at a time) is the client of
 * the cell's session (nexus/session.h), with the personality out of the way:
 *
 *   mmap    offset NEXUS_BUS_OUT: the ring to the server; NEXUS_BUS_IN: the one from it; NEXUS_BUS_POOL: the pool;
 *           MAP_SHARED only
 *   read    waits for the server's bell: a count of bells since the last read, 8 bytes.  poll: POLLIN
 *   write   rings the server: 8 bytes, NEXUS_BUS_PUSHED after something was put into the ring to it,
 *           NEXUS_BUS_POPPED after something was taken from the other, or both
 *   ioctl   NEXUS_BUS_SIZES: how long the three are
 *
 * Errors: ENXIO (open) nobody serves it; EBUSY (open) it is open already; EINVAL (read, write) not 8 bytes, or other bits;
 * EINVAL (mmap) private; EAGAIN O_NONBLOCK and no bell.
 */
#ifndef NEXUS_BUS_H
#define NEXUS_BUS_H

#include <stdint.h>

#define NEXUS_BUS_RINGS 4u

#define NEXUS_BUS_OUT 0x0ul
#define NEXUS_BUS_IN 0x10000000ul
#define NEXUS_BUS_POOL 0x20000000ul

#define NEXUS_BUS_PUSHED 1ul
#define NEXUS_BUS_POPPED 2ul

struct nexus_bus_sizes {
    uint64_t out, in, pool; /* bytes; pool 0: there is none */
};
#define NEXUS_BUS_SIZES 0x80184e01ul /* _IOR('N', 1, struct nexus_bus_sizes) */

#endif
