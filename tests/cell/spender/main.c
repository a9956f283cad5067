/* Test cell: uses more energy than its manifest allows, in its first life. */
#include <nexus/cell.h>
#include <nx/manifest.h>
#include <nx/sys.h>

NX_MANIFEST manifest = {
    .magic = NX_MANIFEST_MAGIC,
    .name = "spender",
    .tier = NX_TIER_VOID,
    .placement = NX_PLACE_ISOLATED,
    .restart = NX_RESTART_ALWAYS,
    .pledge = NX_PLEDGE_TIME | NX_PLEDGE_META,
    .window_gb = 1,
    .quota_pages = 32,
    .quota_fibers = 1,
    .energy = 100000, /* a tenth of a hart */
};

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
