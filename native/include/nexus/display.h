/* Interface "display": one screen.  Over a session (nexus/session.h); the pool is the frame buffer.
 *
 * HELLO payload: struct nexus_display_config; the picture starts at offset 0 of the pool, `stride` bytes
 * a line, 32 bits a pixel: blue, green, red, unused, in this order in memory.
 *
 *   FLUSH   payload word32[0..3]: x, y, width, height of what changed (clipped to the screen)
 *   MODE    payload word32[0..1]: width, height: -NX_EINVAL when it does not fit the pool.  Answered with
 *           the new configuration in the payload behind word32[0]: struct nexus_display_config at byte 4
 *
 * EVENT RESIZE: the host's window changed; word32[0..1]: the size it would like.
 */
#ifndef NEXUS_DISPLAY_H
#define NEXUS_DISPLAY_H

#include <nx/ring.h>

#define NEXUS_DISPLAY_FLUSH (1 | NX_TYPE_REPEATABLE)
#define NEXUS_DISPLAY_MODE (2 | NX_TYPE_REPEATABLE)
#define NEXUS_DISPLAY_RESIZE 3

struct nexus_display_config {
    uint32_t width, height; /* pixels */
    uint32_t stride;        /* bytes */
};

#endif
