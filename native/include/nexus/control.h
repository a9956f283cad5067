/* Interface "control": what the supervisor tells of the cells, and does to them.  Over a session (nexus/session.h) with a pool;
 * its messages are in native/idl/control.idl, the commands in docs/supervisor.md.
 */
#ifndef NEXUS_CONTROL_H
#define NEXUS_CONTROL_H

#include <idl/control.h>

/* A life is not complained of before it is this old. */
#define NEXUS_CONTROL_FAIR_MS 500u

#endif
