/* Driver cell of a virtio console: serves the protocol of nexus/console.h as interface "hvc".
 *
 * hvc.c is the driver; here it meets its capabilities, sleeps and rings.
 */
#include "hvc.h"

#include <nexus/cell.h>
#include <nexus/channel.h>
#include <nexus/exit.h>

static struct hvc hvc;
static struct driver driver;
static struct channel client;

static _Noreturn void fail(int e)
{
    if (e == -NX_EPEER && driver.virtio.fault == NULL) {
        cell_log("the client broke the ring protocol");
        cell_exit(NEXUS_EXIT_PEER | DRIVER_SLOT_SERVE);
    }
    driver_fail(&driver, e);
}

/* Tell of malformed messages, the less often the more there are. */
static void report(void)
{
    static uint32_t skipped;
    if (hvc.skipped > 2 * skipped) {
        skipped = hvc.skipped;
        cell_log("%u malformed messages", skipped);
    }
}

/* Is there really nothing to do but wait for the interrupt?  Then the client knows when to ring. */
static bool may_sleep(void)
{
    if (hvc_output_fits(&hvc)) {
        /* Messages at the device stay in the ring: only those behind them are news. */
        int n = nx_ring_sleep_prepare(&client.in);
        if (n < 0) {
            fail(n);
        }
        if (n > 0 && (uint32_t)n > hvc.next - client.in.own) {
            return false;
        }
    }
    return !hvc_input_waits(&hvc) || nx_ring_sleep_prepare(&client.out) == 0;
}

int cell_main(const struct nx_cellinfo *info)
{
    driver = (struct driver){.self = &hvc, .service = hvc_service};
    driver_open(&driver, info->arg);
    int e = channel_serve(&client, DRIVER_SLOT_SERVE, DRIVER_SLOT_SERVE + 1);
    if (e != 0) {
        cell_no_channel(DRIVER_SLOT_SERVE, "console", e);
    }
    e = hvc_start(&hvc, &driver, &client.in, &client.out);
    const uint64_t watch = 1ul << DRIVER_SLOT_IRQ | 1ul << client.in_slot | 1ul << client.out_slot;
    bool irq = true; /* the first acknowledgement lets interrupts in */
    while (e >= 0) {
        const bool config = irq && driver_interrupt(&driver);
        irq = false;
        const uint32_t taken = client.in.own, given = client.out.own;
        e = hvc_service(&hvc, config);
        if (client.in.own != taken) {
            channel_bell_in(&client);
        }
        if (client.out.own != given) {
            channel_bell_out(&client);
        }
        report();
        if (e == 0 && may_sleep()) {
            irq = nx_recv_wait(watch, NX_NEVER) == DRIVER_SLOT_IRQ;
        }
        nx_ring_sleep_cancel(&client.in);
        nx_ring_sleep_cancel(&client.out);
    }
    fail(e);
}
