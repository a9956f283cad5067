/* Test cell: dies as soon as it lives.  Its supervisor must lose patience, and nobody else anything. */
#include <nexus/cell.h>
#include <nx/layout.h>

int cell_main(const struct nx_cellinfo *info)
{
    for (;;) {
        *(volatile uint64_t *)NX_CELLINFO = info->generation; /* read-only */
    }
}
