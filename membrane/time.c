/* The time counter and nanoseconds.  No 128-bit division: there is no libgcc here. */
#include "mb_int.h"

#define NS_PER_S 1000000000ul

static uint64_t timebase = 10000000; /* ticks per second */
static uint64_t ns_per_tick = 100;   /* when it is a whole number, as on most machines; else 0 */

void mb_time_init(uint64_t ticks_per_second)
{
    timebase = ticks_per_second;
    if (timebase == 0 || timebase > 16 * NS_PER_S) {
        cell_panic("impossible timebase %lu", (unsigned long)timebase);
    } else {
        ns_per_tick = NS_PER_S % timebase == 0 ? NS_PER_S / timebase : 0;
    }
}

uint64_t mb_ticks(void)
{
    return mb_arch_time();
}

uint64_t mb_ns_per_tick(void)
{
    return ns_per_tick;
}

uint64_t mb_ticks_to_ns(uint64_t ticks)
{
    if (ns_per_tick != 0) {
        return ticks * ns_per_tick;
    }
    /* The remainder is below 16e9, so the product fits 64 bits. */
    return ticks / timebase * NS_PER_S + ticks % timebase * NS_PER_S / timebase;
}

uint64_t mb_ns_to_ticks(uint64_t ns)
{
    if (ns_per_tick != 0) {
        uint64_t ticks = ns / ns_per_tick;
        ticks += ticks * ns_per_tick != ns;
        return ticks == MB_NEVER ? MB_NEVER - 1 : ticks;
    }
    uint64_t seconds = ns / NS_PER_S, rest = ns % NS_PER_S, ticks;
    if (__builtin_mul_overflow(seconds, timebase, &ticks)) {
        return MB_NEVER - 1;
    }
    uint64_t part = (rest * timebase + NS_PER_S - 1) / NS_PER_S; /* rest < 1e9, timebase <= 16e9 */
    if (__builtin_add_overflow(ticks, part, &ticks) || ticks == MB_NEVER) {
        return MB_NEVER - 1;
    }
    return ticks;
}
