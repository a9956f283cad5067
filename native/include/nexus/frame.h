/* Interface "frame.N": raw Ethernet frames of network device N.  Over a session (nexus/session.h) with a pool, which the
 * client divides into buffers for both directions as it likes.  Its messages are in native/idl/frame.idl.
 */
#ifndef NEXUS_FRAME_H
#define NEXUS_FRAME_H

#include <idl/frame.h>

#endif
