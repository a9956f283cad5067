/* Interface "input.N": events of input device N (keyboard, tablet, mouse).  Over a session
 * (nexus/session.h) with a pool for CONFIG.
 *
 * HELLO payload: struct nexus_input_config.
 *
 *   CONFIG   payload word32[0]: select, word32[1]: subselect, as in virtio-input's configuration space;
 *            buf_off, buf_len: where the answer goes; reply word32[1]: its length, 0: there is none
 *   STATUS   payload word32[0..2]: type, code, value (lamps of a keyboard)
 *
 * EVENT EVENTS: buf_len bytes inline: up to 6 struct nexus_input_event, in order; type, code and value
 * are Linux's (they are virtio-input's).  When the client does not keep up, whole reports (up to SYN)
 * are dropped, and the next message starts with EV_SYN SYN_DROPPED (0, 3, 0).
 */
#ifndef NEXUS_INPUT_H
#define NEXUS_INPUT_H

#include <nx/ring.h>

#define NEXUS_INPUT_CONFIG (1 | NX_TYPE_REPEATABLE)
#define NEXUS_INPUT_STATUS (2 | NX_TYPE_REPEATABLE)
#define NEXUS_INPUT_EVENTS 3

struct nexus_input_event {
    uint16_t type, code;
    uint32_t value;
};
struct nexus_input_config {
    uint16_t bus, vendor, product, version;
    char name[40];
};
_Static_assert(sizeof(struct nexus_input_event) == 8, "event layout");
_Static_assert(sizeof(struct nexus_input_config) == 48, "fits a payload");

#endif
