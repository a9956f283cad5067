/* The main fiber's work after the start: serve all channels.
 *
 * A slot that fires is latched by the nucleus, and every channel has announced that it sleeps before the
 * fiber does; so only the channel whose slot fired is looked at, however many there are.
 */
#include "devices.h"

#define PORTS 24u
#define SLOTS 64u

static struct port ports[PORTS];
static unsigned port_count;

void port_add(uint64_t watch, void *ctx, void (*work)(void *ctx))
{
    if (port_count == PORTS) {
        cell_panic("more channels than the manifest has wants");
    }
    ports[port_count++] = (struct port){.watch = watch, .ctx = ctx, .work = work};
}

static bool again;

void serve_again(void)
{
    again = true;
}

static uint64_t work_all(void)
{
    uint64_t watch = 0;
    mb_lock();
    for (unsigned i = 0; i < port_count; i++) {
        ports[i].work(ports[i].ctx);
        watch |= ports[i].watch;
    }
    mb_unlock();
    return watch;
}

static void work_slot(unsigned slot)
{
    for (unsigned i = 0; i < port_count; i++) {
        if ((ports[i].watch >> slot & 1) != 0) {
            mb_lock();
            ports[i].work(ports[i].ctx);
            mb_unlock();
            return;
        }
    }
}

void mb_serve(void)
{
    uint64_t watch = work_all();
    for (;;) {
        long slot =
            nx_recv_wait(watch, again ? mb_arch_time() + mb_ns_to_ticks(1000000) : NX_NEVER);
        mb_main_fiber.woken = mb_arch_time();
        if (again) {
            again = false;
            (void)work_all();
        } else if (slot >= 0 && slot < (long)SLOTS) {
            work_slot((unsigned)slot);
        } else if (slot < 0) { /* no channels: nothing to serve, but the main fiber must not spin */
            nx_tick_sleep(mb_arch_time() + mb_ns_to_ticks(1000000000));
        }
    }
}
