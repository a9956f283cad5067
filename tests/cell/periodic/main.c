/* Test cell: three fibers with periods of 5, 10 and 20 ms and other phases, which are promised all of a hart, do in each period what fits their
 * budget, and say whether they had done it before the next release (tests/system/period.py).
 */
#include <manifest/periodic.h>
#include <nexus/cell.h>
#include <nx/sys.h>
#include <nx_base.h>

#define SET 3u
#define MOST_MS 300u /* nobody else has the hart meanwhile */

static const struct {
    unsigned period_ms, budget_us, phase_us;
} set[SET] = {{5, 2500, 700}, {10, 2500, 3100}, {20, 5000, 0}};

static struct {
    volatile unsigned releases, missed, wrong;
    volatile bool done;
} of[SET];

static uint64_t us(uint64_t n)
{
    return n * cell_ticks_of_ms(1000) / 1000000;
}

/* All of the budget but what the switches take. */
static void work(uint64_t budget)
{
    const uint64_t end = (uint64_t)nx_meta_fiber(0, NX_FIBER_RUNTIME) + budget - budget / 8;
    while ((uint64_t)nx_meta_fiber(0, NX_FIBER_RUNTIME) < end) {
    }
}

static void body(uint64_t i)
{
    const uint64_t period = us(set[i].period_ms * 1000), budget = us(set[i].budget_us),
                   phase = us(set[i].phase_us);
    of[i].wrong += nx_tick_period(0, period, budget, phase) != 0;
    of[i].wrong += nx_tick_release() != 0;
    const uint64_t end = cell_now() + cell_ticks_of_ms(MOST_MS);
    for (uint64_t now = cell_now(); now < end; now = cell_now()) {
        const uint64_t released = now - (now + period - phase) % period;
        work(budget);
        of[i].releases++;
        of[i].missed += cell_now() >= released + period;
        of[i].wrong += nx_tick_release() != 0;
    }
    of[i].done = true;
    nx_exit_fiber(0);
}

static void refusals(void)
{
    const uint64_t ms = cell_ticks_of_ms(1);
    cell_log("full: error %ld", -nx_tick_period(0, 20 * ms, 1, 0));
    cell_log("no harmony: error %ld", -nx_tick_period(0, 7 * ms, 1, 0));
    cell_log("zero: error %ld", -nx_tick_period(0, 0, 0, 0));
    cell_log("above its period: error %ld", -nx_tick_period(0, ms, ms + 1, 0));
}

int cell_main(const struct nx_cellinfo *info)
{
    static uint8_t stacks[SET][4096] __attribute__((aligned(16)));
    nx_tick_sleep(cell_now() + cell_ticks_of_ms(200)); /* not while the system comes up */
    for (uint64_t i = 0; i < SET; i++) {
        if (nx_spawn_fiber((uint64_t)body, (uint64_t)stacks[i] + sizeof(stacks[i]), i,
                           NX_TIER_PHOTON) < 0) {
            cell_panic("no fiber");
        }
    }
    nx_tick_sleep(cell_now() + cell_ticks_of_ms(50));
    refusals();
    while (!of[0].done || !of[1].done || !of[2].done) {
        nx_tick_sleep(cell_now() + cell_ticks_of_ms(20));
    }
    for (unsigned i = 0; i < SET; i++) {
        cell_log("every %u ms: %u releases, %u missed, %u errors", set[i].period_ms, of[i].releases,
                 of[i].missed, of[i].wrong);
    }
    cell_log("ends in tier %ld", nx_meta_cell(NX_SELF, NX_CELL_TIER));
    return 0;
}
