/* Test cell: the other image of the cell in tests/cell/swapper; it has no name of its own, so it only ever
 * starts by a swap. */
#include <nexus/cell.h>
#include <nx/manifest.h>
#include <nx/sys.h>

NX_MANIFEST manifest = {
    .magic = NX_MANIFEST_MAGIC,
    .name = "swapper",
    .tier = NX_TIER_PHOTON,
    .placement = NX_PLACE_ISOLATED,
    .restart = NX_RESTART_ALWAYS,
    .pledge = NX_PLEDGE_TIME | NX_PLEDGE_META,
    .window_gb = 1,
    .quota_pages = 32,
    .quota_fibers = 1,
};

int cell_main(const struct nx_cellinfo *info)
{
    cell_log("the second image runs");
    for (;;) {
        nx_tick_sleep(NX_NEVER);
    }
}
