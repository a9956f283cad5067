/* Picks the instruction set's part of the membrane.  Every arch folder has the same files:
 *   mb_arch.h  inline functions, specified here
 *   copy.S     user copy with recovery (copy.h)          fiber.S  first instructions of a fiber
 *
 *   uint64_t mb_arch_time(void)           the time counter
 *   uint64_t mb_arch_instret(void)        instructions retired on this hart
 *   void mb_arch_fiber_clocks(state, &ticks, &instructions)   the calling fiber's own running time
 *   void mb_arch_relax(void)              inside spin loops
 *   void mb_arch_set_self(struct mb_fiber *)   the calling fiber is this one (mb_self)
 *   bool mb_arch_lock_try(volatile uint64_t *word, uint64_t me)   0 -> me, acquire; false: it was not 0
 *   void mb_arch_lock_release(volatile uint64_t *word)            release, then 0
 */
#ifndef MB_ARCH_H
#define MB_ARCH_H

#if defined(NX_HOST)
#include "../arch/host/mb_arch.h"
#elif defined(__riscv)
#include "../arch/riscv64/mb_arch.h"
#else
#error "no membrane/arch for this instruction set"
#endif

#endif
