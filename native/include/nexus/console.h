/* Interface "console": bytes to and from one serial terminal, over a pair of rings; its messages are in native/idl/console.idl.
 *
 *     client                                                      server (driver)
 *       | -- ring to the server:   NEXUS_CONSOLE_OUTPUT ------------> | to the device, in order
 *       | <- ring from the server: NEXUS_CONSOLE_INPUT -------------- | as typed
 *
 * Restarts: a client that dies may lose what it had popped.  The driver keeps a note of how far it got
 * with the slots it has not released; its successor repeats nothing, and loses at most the one byte that
 * was noted and not yet in the device.
 */
#ifndef NEXUS_CONSOLE_H
#define NEXUS_CONSOLE_H

#include <idl/console.h>

#endif
