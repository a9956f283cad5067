/* Devices come when their drivers say so, in any order.  Taking one in may want answers from it (its
 * partition table, its key map), so each is taken in by a fiber of its own.
 */
#include "dev/dev.h"

#include <asm/errno.h>
#include <devices.h>

#include "block/block.h"
#include "ptime.h"
#include "task.h"

#define SETTLE_NS 2000000000ul
#define LOOK_NS 50000000ul

static unsigned attaching;
static struct waitq settled;

static void attach(void *arg)
{
    unsigned kind = (unsigned)(uintptr_t)arg >> 8, index = (uintptr_t)arg & 0xff;
    mb_lock();
    switch (kind) {
    case MB_DEV_BLOCK:
        disk_attach(index);
        break;
    case MB_DEV_ENTROPY:
        hwrng_attach(index);
        break;
    case MB_DEV_DISPLAY:
        fb_attach(index);
        break;
    case MB_DEV_INPUT:
        evdev_attach(index);
        break;
    default:
        break;
    }
    attaching--;
    wait_wake(&settled);
    mb_unlock();
}

static void device_comes(enum mb_device kind, unsigned index, bool again)
{
    if (again) {
        if (kind == MB_DEV_INPUT) {
            evdev_again(index);
        } else if (kind == MB_DEV_DISPLAY) {
            fb_again(index);
        }
        return;
    }
    if (mb_fiber_start(attach, (void *)((uintptr_t)kind << 8 | index)) == NULL) {
        mb_log("device %u.%u: no memory to take it in", (unsigned)kind, index);
        return;
    }
    attaching++;
}

void devices_init(void)
{
    waitq_init(&settled);
    mb_device_hook = device_comes;
}

void devices_settle(void)
{
    uint64_t end = time_ticks_after(SETTLE_NS);
    while ((attaching > 0 || mb_devices_pending() > 0) && mb_ticks() < end) {
        uint64_t look = time_ticks_after(LOOK_NS);
        if (wait_on_killable(&settled, look < end ? look : end) == -EINTR) {
            return;
        }
    }
    if (mb_devices_pending() > 0) {
        mb_log("%u devices whose driver says nothing", mb_devices_pending());
    }
}
