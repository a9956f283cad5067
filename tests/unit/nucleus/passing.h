/* Time that passes on the simulated machine, and who runs meanwhile. */
#ifndef TESTS_UNIT_NUCLEUS_PASSING_H
#define TESTS_UNIT_NUCLEUS_PASSING_H

#include "audit.h"

static inline struct fiber *on(unsigned h)
{
    return harts[h].fiber;
}

/* Interrupts are taken when they are due. */
static inline void pass(uint64_t ticks)
{
    uint64_t until = host.time + ticks;
    for (;;) {
        uint64_t next = until;
        for (unsigned i = 0; i < hart_count; i++) {
            while (harts[i].online && host_interrupt_pending(i)) {
                interrupts(i);
            }
            next = NX_MIN(next, host.hart[i].deadline);
        }
        audit_sched();
        if (host.time == until) {
            return;
        }
        host.time = NX_MAX(next, host.time);
    }
}

#endif
