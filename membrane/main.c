/* The personality's cell: its start.
 *
 * The main fiber sets up the membrane, lets posix/ build its world and start process 1, and then serves
 * the channels for the rest of the cell's life.
 */
#include "mb_int.h"

#include <string.h>

static const struct nx_cellinfo *info;

const char *mb_bootargs(void)
{
    return info->bootargs;
}

unsigned mb_harts(void)
{
    return info->harts;
}

/* Zeroed memory of the image and the stack come on demand; were it demanded when none is left, the cell
 * would end.  So all of it is made present now. */
#define STACK_PRESENT (8 * MB_PAGE) /* what the console fiber uses, and some */
static void make_present(uint64_t start, uint64_t end)
{
    for (uint64_t a = start & ~(MB_PAGE - 1); a < end; a += MB_PAGE) {
        nx_map_fault(0, a, 1); /* code and constants say no: they are there */
    }
}

int cell_main(const struct nx_cellinfo *cell)
{
    info = cell;
    mb_arch_set_self(&mb_main_fiber);
    make_present(NX_IMAGE, cell->image_end);
    make_present(NX_STACK_TOP - STACK_PRESENT, NX_STACK_TOP);
    mb_fiber_init();
    mb_time_init(cell->timebase);
    mb_stl_init();
    mb_console_init();
    mb_control_init();
    mb_random_init(cell);
    mb_devices_init();
    mb_rings_init();
    mb_archive_init();
    int e = posix_start();
    if (e < 0) {
        cell_panic("the personality does not start: error %d", -e);
    }
    mb_serve();
}
