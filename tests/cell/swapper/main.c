/* Test cell: says which image it is.  The same name, whose image tests swap for another, is in
 * tests/cell/swapped. */
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
    cell_log("the first image runs");
    for (;;) {
        nx_tick_sleep(NX_NEVER);
    }
}
