/* The personality's cell: manifest and start.
 *
 * The main fiber sets up the membrane, lets posix/ build its world and start process 1, and then serves
 * the channels for the rest of the cell's life.
 */
#include "mb_int.h"

#include <nx/manifest.h>
#include <string.h>

/* A channel to a driver, when the machine has the device. */
#define DEVICE(slot_, what_)                                                            \
    {                                                                                   \
        .kind = NX_WANT_USE, .slot = (slot_), .flags = NX_WANT_OPTIONAL, .what = what_, \
        .rights = NX_R_READ | NX_R_WRITE | NX_R_SEND | NX_R_RECV                        \
    }

NX_MANIFEST manifest = {
    .magic = NX_MANIFEST_MAGIC,
    .name = "posix",
    .tier = NX_TIER_MATTER,
    .placement = NX_PLACE_ISOLATED,
    .restart = NX_RESTART_ALWAYS,
    .backoff_ms = 1000,
    /* No cells are made, no objects, and no capabilities handed on; DEBUG for the system's counters in
     * /proc. */
    .pledge = NX_PLEDGE_ALL & ~(NX_PLEDGE_SPAWN | NX_PLEDGE_MAKE | NX_PLEDGE_GRANT),
    .window_gb = MB_WINDOW_GB,
    .quota_pages = 0, /* all the machine has but a reserve: programs live in it */
    .quota_fibers = 16384,
    .quota_spaces = 16384,
    .want = {{.kind = NX_WANT_USE,
              .slot = MB_SLOT_CONSOLE_TX, /* and the two after it */
              .rights = NX_R_READ | NX_R_WRITE | NX_R_SEND | NX_R_RECV,
              .what = "console"},
             {.kind = NX_WANT_ARCHIVE, .slot = MB_SLOT_BUNDLE, .rights = NX_R_READ, .what = ""},
             DEVICE(MB_SLOT_CONTROL, "control"),
             DEVICE(MB_SLOT_BLOCK, "block.0"),
             DEVICE(MB_SLOT_BLOCK + 3, "block.1"),
             DEVICE(MB_SLOT_BLOCK + 6, "block.2"),
             DEVICE(MB_SLOT_BLOCK + 9, "block.3"),
             DEVICE(MB_SLOT_ENTROPY, "entropy"),
             DEVICE(MB_SLOT_HVC, "hvc"),
             DEVICE(MB_SLOT_DISPLAY, "display"),
             DEVICE(MB_SLOT_INPUT, "input.0"),
             DEVICE(MB_SLOT_INPUT + 3, "input.1"),
             DEVICE(MB_SLOT_INPUT + 6, "input.2"),
             DEVICE(MB_SLOT_INPUT + 9, "input.3")},
};
_Static_assert(MB_SLOT_CONSOLE_RX == MB_SLOT_CONSOLE_TX + 1, "USE fills slots in a row");

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
    mb_random_init(cell, sizeof(*cell));
    mb_console_init();
    mb_devices_init();
    mb_control_init();
    mb_archive_init();
    int e = posix_start();
    if (e < 0) {
        cell_panic("the personality does not start: error %d", -e);
    }
    mb_serve();
}
