/* See power.h.  The finisher: one register; what is written to it ends the machine, under QEMU with an
 * exit status. */
#include "power.h"
#include "link.h"
#include "store.h"
#include "tree.h"

#include <nexus/cell.h>
#include <nx/sys.h>
#include <nx_base.h>

#define FINISH_PASS 0x5555u
#define FINISH_FAIL 0x3333u /* | status << 16 */
#define FINISH_RESET 0x7777u

static volatile uint32_t *finisher;

void power_init(const void *fdt)
{
    struct tree_device dev;
    if (!tree_device(fdt, "sifive,test0", &dev)) {
        cell_log("no device to switch the machine off");
        return;
    }
    uint64_t page = ALIGN_DOWN(dev.base, NX_PAGE_SIZE);
    long e = nx_make_devmem(SLOT_SCRATCH, SLOT_MACHINE, page, NX_PAGE_SIZE);
    int map_err = 0;
    uint8_t *regs = e == 0 ? cell_map(SLOT_SCRATCH, NX_PROT_R | NX_PROT_W, NULL, &map_err) : NULL;
    nx_grant_drop(SLOT_SCRATCH);
    if (regs == NULL) {
        cell_log("no power off: error %ld %d", e, map_err);
        return;
    }
    finisher = (volatile uint32_t *)(regs + dev.base % NX_PAGE_SIZE);
}

static _Noreturn void finish(uint32_t how)
{
    link_drain();
    if (finisher != NULL) {
        *finisher = how;
    }
    cell_log("the machine stays on: no device ends it");
    for (;;) {
        nx_tick_sleep(NX_NEVER);
    }
}

_Noreturn void power_off(unsigned status)
{
    finish(status == 0 ? FINISH_PASS : status << 16 | FINISH_FAIL);
}

_Noreturn void power_reset(void)
{
    finish(FINISH_RESET);
}
