/* Test cell: says which image it is.  The same name, whose image tests swap for another, is in
 * tests/cell/swapped. */
#include <nexus/cell.h>
#include <nx/sys.h>

int cell_main(const struct nx_cellinfo *info)
{
    cell_log("the first image runs");
    for (;;) {
        nx_tick_sleep(NX_NEVER);
    }
}
