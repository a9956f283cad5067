/* The personality's cell: manifest and start.
 *
 * The main fiber sets up the membrane, lets posix/ build its world and start process 1, and then serves
 * the console for the rest of the cell's life.
 */
#include "service.h"

#include <nx/manifest.h>
#include <string.h>

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
             {.kind = NX_WANT_USE,
              .slot = MB_SLOT_CONTROL,
              .rights = NX_R_READ | NX_R_WRITE | NX_R_SEND | NX_R_RECV,
              .flags = NX_WANT_OPTIONAL,
              .what = "control"},
             {.kind = NX_WANT_ARCHIVE, .slot = MB_SLOT_BUNDLE, .rights = NX_R_READ, .what = ""},
             {.kind = NX_WANT_USE,
              .slot = MB_SLOT_RANDOM,
              .rights = NX_R_READ | NX_R_WRITE | NX_R_SEND | NX_R_RECV,
              .flags = NX_WANT_OPTIONAL,
              .what = "random"},
             {.kind = NX_WANT_USE,
              .slot = MB_SLOT_LOG,
              .rights = NX_R_READ | NX_R_WRITE | NX_R_SEND | NX_R_RECV,
              .flags = NX_WANT_OPTIONAL,
              .what = "log"}},
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
    mb_stl_init();
    mb_console_init();
    mb_random_init(cell); /* before there is a second fiber */
    mb_control_init();
    mb_archive_init();
    mb_lock();
    mb_service_start();
    mb_unlock();
    int e = posix_start();
    if (e < 0) {
        cell_panic("the personality does not start: error %d", -e);
    }
    mb_console_serve();
}
