/* Interface "display": one screen.  Over a session (nexus/session.h); the pool is the frame buffer, and the picture starts
 * at its beginning.  Its messages are in native/idl/display.idl; MODE answers with the new configuration, as HELLO has
 * it, behind the result.
 */
#ifndef NEXUS_DISPLAY_H
#define NEXUS_DISPLAY_H

#include <idl/display.h>

#endif
