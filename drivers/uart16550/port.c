/* Register access of the real device.  See port.h. */
#include "port.h"

#include <mmio.h>

uint8_t uart_port_read(const struct uart_port *p, enum uart_reg reg)
{
    const volatile uint8_t *at = p->base + ((unsigned)reg << p->shift);
    return p->width == 4 ? (uint8_t)mmio_read32(at) : mmio_read8(at);
}

void uart_port_write(const struct uart_port *p, enum uart_reg reg, uint8_t v)
{
    volatile uint8_t *at = p->base + ((unsigned)reg << p->shift);
    if (p->width == 4) {
        mmio_write32(at, v);
    } else {
        mmio_write8(at, v);
    }
}
