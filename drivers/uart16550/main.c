/* Driver cell of a 16550 serial port: serves the interface "console" (nexus/console.h).
 *
 * uart.c is the driver; here it meets its capabilities, sleeps and rings.
 */
#include "uart.h"

#include <nexus/cell.h>
#include <nexus/channel.h>
#include <nexus/device.h>
#include <nexus/exit.h>
#include <manifest/uart16550.h>

static struct channel client;
static struct uart uart;

static void open_port(struct uart_port *port, uint64_t arg)
{
    int e;
    size_t size;
    uint8_t *regs = cell_map(SLOT_REGS, NX_PROT_R | NX_PROT_W, &size, &e);
    if (e != 0) {
        cell_panic("no registers: error %d", -e);
    }
    port->base = regs + nexus_device_offset(arg);
    port->shift = nexus_device_shift(arg);
    port->width = nexus_device_width(arg);
    if (nexus_device_offset(arg) + (8ul << port->shift) > size) {
        cell_panic("the register window is too small");
    }
}

/* Tell of overruns and malformed messages, the less often the more there are. */
static void report(void)
{
    static uint32_t overruns, skipped;
    if (uart.overruns > 2 * overruns) {
        overruns = uart.overruns;
        cell_log("input lost %u times", overruns);
    }
    if (uart.skipped > 2 * skipped) {
        skipped = uart.skipped;
        cell_log("%u malformed messages", skipped);
    }
}

/* Is there really nothing to do but wait for the interrupt?  Then the client knows when to ring. */
static bool may_sleep(void)
{
    /* While output is on its way the transmit interrupt comes anyhow, and looks at the ring. */
    if (!uart_sending(&uart) && nx_ring_sleep_prepare(&client.in) != 0) {
        return false;
    }
    return !uart_input_waits(&uart) || nx_ring_sleep_prepare(&client.out) == 0;
}

int cell_main(const struct nx_cellinfo *info)
{
    struct uart_port port;
    open_port(&port, info->arg);
    int e = channel_serve(&client, SLOT_CLIENT_RX, SLOT_CLIENT_TX);
    if (e != 0) {
        cell_no_channel(SLOT_CLIENT_RX, "console", e);
    }
    uart_init(&uart, &port, &client.in, &client.out);
    bool irq = true; /* the first acknowledgement lets interrupts in */
    for (;;) {
        e = uart_service(&uart);
        if (irq) {
            nx_mask_ack(SLOT_IRQ); /* what it told of is served */
            irq = false;
        }
        channel_bell_in(&client);
        channel_bell_out(&client);
        report();
        if (e != 0) {
            cell_log("the client broke the ring protocol");
            cell_exit(NEXUS_EXIT_PEER | SLOT_CLIENT_RX);
        }
        if (may_sleep()) {
            const uint64_t slots = 1ul << SLOT_IRQ | 1ul << SLOT_CLIENT_RX | 1ul << SLOT_CLIENT_TX;
            irq |= nx_recv_wait(slots, NX_NEVER) == SLOT_IRQ;
        }
        nx_ring_sleep_cancel(&client.in);
        nx_ring_sleep_cancel(&client.out);
    }
}
