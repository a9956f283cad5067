/* Test cell: the other image of the cell in tests/cell/swapper; it has no name of its own, so it only ever
 * starts by a swap. */
#include <nexus/cell.h>
#include <nx/sys.h>

int cell_main(const struct nx_cellinfo *info)
{
    cell_log("the second image runs");
    for (;;) {
        nx_tick_sleep(NX_NEVER);
    }
}
