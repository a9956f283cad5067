/* Test cell: keeps the hart for 15 ms, and 5 ms later again.  See tests/cell/lendclient. */
#include <manifest/lendhog.h>
#include <nexus/cell.h>
#include <nx/sys.h>

int cell_main(const struct nx_cellinfo *info)
{
    for (unsigned n = 0; n < 200; n++) {
        cell_log("begins %u", n);
        for (uint64_t end = cell_now() + cell_ticks_of_ms(15); cell_now() < end;) {
        }
        cell_log("has done %u", n);
        nx_tick_sleep(cell_now() + cell_ticks_of_ms(5));
    }
    return 0;
}
