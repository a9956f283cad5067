/* The registers of a 16550, by number.  port.c reaches the device; unit tests put a model here. */
#ifndef UART_PORT_H
#define UART_PORT_H

#include <stdint.h>

struct uart_port {
    volatile uint8_t *base;
    unsigned shift; /* registers are 1 << shift bytes apart */
    unsigned width; /* bytes of one access: 1 or 4 */
};

enum uart_reg {
    UART_RBR = 0, /* read: received byte */
    UART_THR = 0, /* write: byte to send */
    UART_IER = 1,
    UART_IIR = 2, /* read */
    UART_FCR = 2, /* write */
    UART_LCR = 3,
    UART_MCR = 4,
    UART_LSR = 5,
};

#define UART_IER_RX 0x01
#define UART_IER_TX 0x02
#define UART_IIR_FIFO 0xc0 /* both bits: the FIFOs are on and work */
#define UART_FCR_ON 0x01
#define UART_LCR_8N1 0x03
#define UART_MCR_READY 0x0b /* DTR, RTS; OUT2 lets the interrupt out on PCs */
#define UART_LSR_RX 0x01
#define UART_LSR_OVERRUN 0x02
#define UART_LSR_TX_EMPTY 0x20 /* the FIFO takes a full load */
#define UART_LSR_TX_IDLE 0x40  /* the last bit has left, too */

#define UART_FIFO 16

uint8_t uart_port_read(const struct uart_port *p, enum uart_reg reg);
void uart_port_write(const struct uart_port *p, enum uart_reg reg, uint8_t v);

#endif
