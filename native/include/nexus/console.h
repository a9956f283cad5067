/* Interface "console": bytes to and from one serial terminal, over a pair of rings.
 *
 *     client                                                      server (driver)
 *       | -- ring to the server:   NEXUS_CONSOLE_OUTPUT ------------> | to the device, in order
 *       | <- ring from the server: NEXUS_CONSOLE_INPUT -------------- | as typed
 *
 * Every message carries 1..NX_RING_PAYLOAD bytes inline: flags NX_SLOT_INLINE, buf_len the count,
 * buf_off 0.  No replies; a slot is released when its bytes have left the device (OUTPUT) or are taken
 * over (INPUT), so a full ring is the flow control, and an empty ring to the server means that everything
 * is out.  Other message types and lengths are the peer's fault and are skipped.
 *
 * Restarts: a client that dies may lose what it had popped.  The driver keeps a note of how far it got
 * with the slots it has not released; its successor repeats nothing, and loses at most the one byte that
 * was noted and not yet in the device.
 */
#ifndef NEXUS_CONSOLE_H
#define NEXUS_CONSOLE_H

#define NEXUS_CONSOLE_OUTPUT 1
#define NEXUS_CONSOLE_INPUT 2

#endif
