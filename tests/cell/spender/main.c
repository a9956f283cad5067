/* Test cell: uses more energy than its manifest allows, in its first life. */
#include <nexus/cell.h>
#include <nx/sys.h>

int cell_main(const struct nx_cellinfo *info)
{
    while (info->generation == 1) {
        (void)cell_now();
    }
    cell_log("is thrifty");
    for (;;) {
        nx_tick_sleep(NX_NEVER);
    }
}
