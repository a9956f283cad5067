/* Interface "console": bytes to and from one serial terminal, over a pair of rings.
 *
 *     client                                                      server (driver)
 *       | -- ring to the server:   NEXUS_CONSOLE_OUTPUT ------------> | to the device, in order
 *       | <- ring from the server: NEXUS_CONSOLE_INPUT -------------- | as typed
 *
 * Every message carries 1..NX_RING_PAYLOAD bytes inline: flags NX_SLOT_INLINE, buf_len the count,
 * buf_off 0.  No replies; a slot is released when its bytes are with the device (OUTPUT) or taken over
 * (INPUT), so a full ring is the flow control.  Other message types and lengths are the peer's fault and
 * are skipped.  Neither type is repeatable: after a restart bytes may be lost, not doubled.
 */
#ifndef NEXUS_CONSOLE_H
#define NEXUS_CONSOLE_H

#define NEXUS_CONSOLE_OUTPUT 1
#define NEXUS_CONSOLE_INPUT 2

#endif
