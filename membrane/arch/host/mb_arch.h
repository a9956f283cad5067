/* Host tests: see membrane/mb_int.h for what each function promises.  Clocks are what the
 * test says: instructions are the counter below, so that sums can be checked exactly. */
#ifndef MB_ARCH_HOST_H
#define MB_ARCH_HOST_H

#include <nx/state.h>
#include <stdbool.h>
#include <stdint.h>

extern uint64_t mb_host_time, mb_host_instret;

static inline uint64_t mb_arch_time(void)
{
    return mb_host_time;
}

static inline uint64_t mb_arch_instret(void)
{
    return mb_host_instret;
}

static inline void mb_arch_fiber_clocks(const struct nx_state *s, uint64_t *ticks,
                                        uint64_t *instructions)
{
    *instructions = mb_host_instret - s->instr_off;
    *ticks = mb_host_time - s->time_off;
}

static inline void mb_arch_relax(void)
{
}

static inline bool mb_arch_lock_try(volatile uint64_t *word, uint64_t me)
{
    uint64_t free_ = 0;
    return __atomic_compare_exchange_n(word, &free_, me, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline bool mb_arch_lock_release(volatile uint64_t *word, uint64_t me)
{
    return __atomic_compare_exchange_n(word, &me, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

#endif
