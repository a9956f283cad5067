/* Test cell: beats for a while, then hangs - in its first lives; the third goes on beating. */
#include <nexus/cell.h>
#include <nx/sys.h>

#define BEAT_MS 20u
#define LIVES 3u

int cell_main(const struct nx_cellinfo *info)
{
    for (unsigned n = 0; n < 10 || info->generation >= LIVES; n++) {
        cell_beat();
        nx_tick_sleep(cell_now() + cell_ticks_of_ms(BEAT_MS));
        if (n == 20) {
            cell_log("beats");
        }
    }
    cell_log("hangs");
    for (;;) {
        nx_tick_sleep(NX_NEVER);
    }
}
