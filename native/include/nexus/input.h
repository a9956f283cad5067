/* Interface "input.N": events of input device N (keyboard, tablet, mouse).  Over a session (nexus/session.h) with a pool for
 * CONFIG; its messages are in native/idl/input.idl.
 */
#ifndef NEXUS_INPUT_H
#define NEXUS_INPUT_H

#include <idl/input.h>

/* What the event EVENTS has a list of. */
struct nexus_input_event {
    uint16_t type, code;
    uint32_t value;
};
_Static_assert(sizeof(struct nexus_input_event) == 8, "event layout");

#endif
