/* Test cell: uses more energy than its manifest allows, until it is in tier Void for that; then it sleeps
 * until it is what it was.  All in one life. */
#include <nexus/cell.h>
#include <nx/sys.h>

int cell_main(const struct nx_cellinfo *info)
{
    const long own = nx_meta_cell(NX_SELF, NX_CELL_TIER);
    while (nx_meta_cell(NX_SELF, NX_CELL_TIER) != NX_TIER_VOID) { /* the Ratchet takes longer */
        for (unsigned i = 0; i < 1000; i++) {
            __asm__ volatile("");
        }
    }
    cell_log("is held back in tier %u, %s than allowed", NX_TIER_VOID,
             nx_meta_cell(NX_SELF, NX_CELL_ENERGY_USED) >= 100000 ? "having used more"
                                                                  : "having used less");
    while (nx_meta_cell(NX_SELF, NX_CELL_TIER) != own) {
        nx_tick_sleep(cell_now() + cell_ticks_of_ms(20));
    }
    cell_log("is in its own tier again");
    for (;;) {
        nx_tick_sleep(NX_NEVER);
    }
}
