/* Test cell: dies as soon as it lives.  Its supervisor must lose patience, and nobody else anything. */
#include <nexus/cell.h>
#include <nx/layout.h>
#include <nx/manifest.h>

NX_MANIFEST manifest = {
    .magic = NX_MANIFEST_MAGIC,
    .name = "crasher",
    .tier = NX_TIER_MATTER,
    .placement = NX_PLACE_ISOLATED,
    .restart = NX_RESTART_ALWAYS,
    .backoff_ms = 10,
    .window_gb = 1,
    .quota_pages = 32,
    .quota_fibers = 1,
};

int cell_main(const struct nx_cellinfo *info)
{
    for (;;) {
        *(volatile uint64_t *)NX_CELLINFO = info->generation; /* read-only */
    }
}
