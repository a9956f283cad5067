/* A 16550 between two rings: everything but sleeping, ringing bells and the registers themselves.
 *
 * Output: bytes of waiting slots go into the empty transmit FIFO, a load at a time; when the FIFO has
 * become empty again, the slots that were wholly in it are released.  So a released slot is really out,
 * and the ring is empty only when nothing is on its way.
 *
 * Input: bytes go through a small buffer into slots of up to 48.  When ring and buffer are full, the
 * receive interrupt is turned off and the device's own FIFO and handshake hold the line back; only
 * overruns the device itself reports are lost, and counted.
 *
 * Crash: the consumer's own end of the output ring holds a note, (slot index << 8 | bytes of it that are
 * in the FIFO), for the successor.
 */
#ifndef UART_H
#define UART_H

#include "port.h"

#include <nx/ring.h>

#define UART_INPUT 1024u /* power of two */

struct uart {
    struct nx_slot slot;  /* of output: see `loaded` */
    struct nx_ring *from; /* output, from the client */
    struct nx_ring *to;   /* input, to the client */
    struct uart_port port;
    uint32_t load; /* bytes the empty transmit FIFO takes */

    /* Output: slots before `next` (ring index) are wholly in the FIFO; of that one, `sent` bytes are. */
    uint32_t next;
    uint32_t sent;
    bool loaded; /* `slot` is a copy of slot `next` */
    uint8_t ier; /* as last written */

    /* Input not yet in the ring: input[head % UART_INPUT] .. tail, free-running. */
    uint8_t input[UART_INPUT];
    uint32_t head, tail;

    uint32_t overruns; /* reported by the device: at least one byte each */
    uint32_t skipped;  /* malformed slots */
};

/* Bring the device into the state we work with, losing nothing the firmware or a predecessor still
 * sends; go on after a predecessor's note.  The interrupts are off until the first service. */
void uart_init(struct uart *u, const struct uart_port *port, struct nx_ring *from,
               struct nx_ring *to);

/* Do all that can be done now without waiting, and say to the device which interrupts are wanted.  The
 * work is bounded, so some may be left: look at the rings again before sleeping.  Then ring the bells of
 * both rings if they need it.  0, or -NX_EPEER when the client broke the ring protocol. */
int uart_service(struct uart *u);

/* After service: output is on its way, so a transmit interrupt will come. */
bool uart_sending(const struct uart *u);

/* After service: input waits for room in the ring. */
bool uart_input_waits(const struct uart *u);

#endif
