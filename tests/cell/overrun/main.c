/* Test cell: how late an overrun of a budget is noticed (meaningful under qemu -icount shift=0).
 *
 * It runs and runs, from Photon down to Void, and then reads in the Boot Error Buffer what the nucleus
 * made of it: each overrun tells the budget and what was run of it.  Logs one line a figure, read by
 * tests/bench/run.py from /proc/nexus/log:
 *     figure overrun-late N      the worst, in 1/10,000 of the budget
 *     figure overrun-seen N      overruns of its own it found
 */
#include <manifest/overrun.h>
#include <nexus/cell.h>
#include <nx/sys.h>
#include <nx_base.h>
#include <string.h>

#define ENTRIES 256u
static struct nx_beb beb[ENTRIES];

static void run_for(uint64_t ticks)
{
    for (uint64_t end = cell_now() + ticks; cell_now() < end;) {
        for (unsigned i = 0; i < 1000; i++) {
            __asm__ volatile("");
        }
    }
}

int cell_main(const struct nx_cellinfo *info)
{
    uint64_t worst = 0, seen = 0;
    nx_tick_sleep(cell_now() + cell_ticks_of_ms(200)); /* not while the system comes up */
    /* Three strikes each: 2 ms, 10 ms, 50 ms. */
    run_for(cell_ticks_of_ms(3 * 2 + 3 * 10 + 3 * 50 + 20));
    long n = nx_meta_beb((uint64_t)beb, sizeof(beb), 0);
    for (long i = 0; i < n; i++) {
        const struct nx_beb *b = &beb[i];
        if (b->kind == NX_BEB_OVERRUN && strcmp(b->cell, info->name) == 0 && b->arg0 != 0) {
            uint64_t late = b->arg1 > b->arg0 ? b->arg1 - b->arg0 : b->arg0 - b->arg1;
            worst = NX_MAX(worst, (late * 10000 + b->arg0 - 1) / b->arg0);
            seen++;
        }
    }
    cell_log("figure overrun-late %lu", (unsigned long)worst);
    cell_log("figure overrun-seen %lu", (unsigned long)seen);
    return 0;
}
