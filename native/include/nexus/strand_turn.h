/* A turn from one strand to another, as the machine does it; part of nexus/strand.h and nothing to use by itself.
 *
 * Inline, so that what a strand keeps is what its compiler has in use there and no more: all registers but the stack
 * pointer are said to be lost, and the frame pointer, which a function may need, is kept with it. tp, nobody else's in a
 * cell and 0 in a new fiber, is the strand that runs.
 */
#ifndef NEXUS_STRAND_TURN_H
#define NEXUS_STRAND_TURN_H

/* Of struct strand. */
#define STRAND_SP 16
#define STRAND_PC 24
#define STRAND_FP 32

#ifndef __ASSEMBLER__
#include <stddef.h>

struct strand;

#ifdef NX_HOST
extern _Thread_local struct strand *strand_host_running; /* tests make turns of their own */
void strand_turn_(struct strand *from, struct strand *to);

static inline struct strand *strand_running_(void)
{
    return strand_host_running;
}

static inline void strand_runs_(struct strand *s)
{
    strand_host_running = s;
}
#else
static inline struct strand *strand_running_(void)
{
    struct strand *s;
    __asm__ volatile("mv %0, tp" : "=r"(s));
    return s;
}

static inline void strand_runs_(struct strand *s)
{
    __asm__ volatile("mv tp, %0" : : "r"(s) : "memory");
}

/* Put `from`, which runs, aside, and go on with `to`. */
static inline __attribute__((always_inline)) void strand_turn_(struct strand *from,
                                                               struct strand *to)
{
    register struct strand *a0 __asm__("a0") = from;
    register struct strand *a1 __asm__("a1") = to;
    __asm__ volatile("call t0, strand_jump_"
                     : "+r"(a0), "+r"(a1)
                     :
                     : "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a2", "a3", "a4", "a5", "a6",
                       "a7", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11",
                       "memory");
}
#endif
#endif

#endif
