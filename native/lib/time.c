/* Time in ticks.  See nexus/cell.h. */
#include "wait.h"

#include <nexus/cell.h>

uint64_t cell_now(void)
{
    return (uint64_t)nx_tick_now();
}

void cell_sleep_ms(uint64_t ms)
{
    const uint64_t deadline = cell_now() + cell_ticks_of_ms(ms);
    if (waiting == NULL) {
        nx_tick_sleep(deadline);
        return;
    }
    while (wait_recv(0, deadline) >= 0) {
    }
}

uint64_t cell_ticks_of_ms(uint64_t ms)
{
    static uint64_t timebase;
    if (timebase == 0) {
        timebase = (uint64_t)nx_meta_machine(NX_MACHINE_TIMEBASE);
    }
    return ms * timebase / 1000;
}
