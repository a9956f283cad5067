/* Which act is played.  See greedy.h. */
#include "greedy.h"

static const struct {
    const char *name;
    void (*play)(void);
} acts[] = {
    {"pages", hoard_pages},    {"objects", hoard_objects}, {"fibers", hoard_fibers},
    {"cells", brood_cells},    {"bells", flood_bells},     {"requests", flood_requests},
    {"polling", flood_busily}, {"loop", hog_loop},         {"period", hog_period},
};

void refused(const char *what, unsigned long after, long error)
{
    cell_log("%s refused after %lu: error %ld", what, after, -error);
}

void nap(void)
{
    nx_tick_sleep(cell_now() + cell_ticks_of_ms(1));
}

long start_fiber(unsigned n, void (*body)(uint64_t), uint64_t arg)
{
    static uint8_t stacks[MANIFEST_QUOTA_FIBERS - 1][4096] __attribute__((aligned(16)));
    const unsigned i = NX_MIN(n, MANIFEST_QUOTA_FIBERS - 2u);
    return nx_spawn_fiber((uint64_t)body, (uint64_t)stacks[i] + sizeof(stacks[i]), arg,
                          NX_TIER_PHOTON);
}

int cell_main(const struct nx_cellinfo *info)
{
    const unsigned act = (info->generation / 2 - 1) % ARRAY_LEN(acts);
    if (info->generation % 2 == 0) {
        cell_log("does %s", acts[act].name);
        acts[act].play();
    }
    for (;;) {
        nx_tick_sleep(NX_NEVER);
    }
}
