/* Time in ticks.  See nexus/cell.h. */
#include <nexus/cell.h>
#include <nx/sys.h>

uint64_t cell_now(void)
{
    return (uint64_t)nx_tick_now();
}

void cell_sleep_ms(uint64_t ms)
{
    nx_tick_sleep(cell_now() + cell_ticks_of_ms(ms));
}

uint64_t cell_ticks_of_ms(uint64_t ms)
{
    static uint64_t timebase;
    if (timebase == 0) {
        timebase = (uint64_t)nx_meta_machine(NX_MACHINE_TIMEBASE);
    }
    return ms * timebase / 1000;
}
