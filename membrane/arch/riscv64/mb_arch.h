/* riscv64: see membrane/mb_int.h for what each function promises. */
#ifndef MB_ARCH_RISCV64_H
#define MB_ARCH_RISCV64_H

#include <nx/state.h>
#include <stdbool.h>
#include <stdint.h>

static inline uint64_t mb_arch_time(void)
{
    uint64_t v;
    __asm__ volatile("rdtime %0" : "=r"(v));
    return v;
}

static inline uint64_t mb_arch_instret(void)
{
    uint64_t v;
    __asm__ volatile("rdinstret %0" : "=r"(v));
    return v;
}

/* The nucleus moves the offsets when the fiber goes off its hart; if that happens between our reads,
 * an old offset meets a new counter.  So look at the offset again. */
static inline void mb_arch_fiber_clocks(const struct nx_state *s, uint64_t *ticks,
                                        uint64_t *instructions)
{
    const volatile uint64_t *time_off = &s->time_off, *instr_off = &s->instr_off;
    uint64_t off;
    do {
        off = *instr_off;
        *instructions = mb_arch_instret() - off;
        *ticks = mb_arch_time() - *time_off;
    } while (__builtin_expect(off != *instr_off, 0));
}

struct mb_fiber;

static inline void mb_arch_relax(void)
{
    __asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" ::: "memory"); /* pause, a hint */
}

static inline void mb_arch_set_self(struct mb_fiber *f)
{
    __asm__ volatile("mv tp, %0" : : "r"(f) : "memory");
}

static inline bool mb_arch_lock_try(volatile uint64_t *word, uint64_t me)
{
    __asm__ goto("1: lr.d.aq t0, (%0)\n"
                 "   bnez t0, %l[busy]\n"
                 "   sc.d t0, %1, (%0)\n"
                 "   bnez t0, 1b"
                 :
                 : "r"(word), "r"(me)
                 : "memory", "t0"
                 : busy);
    return true;
busy:
    return false;
}

static inline bool mb_arch_lock_release(volatile uint64_t *word, uint64_t me)
{
    __asm__ goto("1: lr.d t0, (%0)\n"
                 "   bne t0, %1, %l[waiters]\n"
                 "   sc.d.rl t0, zero, (%0)\n"
                 "   bnez t0, 1b"
                 :
                 : "r"(word), "r"(me)
                 : "memory", "t0"
                 : waiters);
    return true;
waiters:
    return false;
}

#endif
