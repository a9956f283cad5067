/* The hart, without ever waiting.  See greedy.h. */
#include "greedy.h"

#define PERIOD_MS 200u /* the most that may be declared */

void hog_loop(void)
{
    for (;;) {
        __asm__ volatile("");
    }
}

/* With a budget of its own wish. */
void hog_period(void)
{
    const uint64_t all = cell_ticks_of_ms(PERIOD_MS);
    refused("a longer period", 0, nx_tick_period(0, 2 * all, 2 * all, 0));
    long e = nx_tick_period(0, all, all, 0);
    if (e != 0) {
        refused("a period", 0, e);
    }
    hog_loop();
}
