/* A hart (CPU) as the nucleus sees it, and the one nucleus lock.
 *
 * Locking: one lock guards everything in nucleus/core; it is held only inside the nucleus and the
 * nucleus never blocks and takes no interrupts, so it is held for bounded time.  What is marked
 * [own] below is touched by its hart only, without the lock.
 */
#ifndef HART_H
#define HART_H

#include <arch.h>
#include <nx/types.h>
#include <nx_list.h>

#define HARTS_MAX 63             /* sets of harts are a bit each of a word, and one is left for: */
#define HART_RECORDS (1ul << 63) /* it records its switches, timeline.h */
#define HART_STACK 8192

struct fiber;

struct hart {
    /* Offsets known to assembler: arch/riscv64/offsets.h. */
    struct nx_state *foreign; /* [own] state area while the fiber is in foreign mode, else NULL */
    struct fiber *fiber;      /* the fiber it runs; NULL: idle */
    uint64_t stack_top;
    uint64_t scratch[2]; /* [own] of the trap entry */
    uint32_t resched;    /* look for a better fiber before going back to user mode */
    uint32_t ready;      /* bit t: queue[t] is not empty */
    uint32_t fp_live;    /* [own] the fiber's floating point registers are in the hart */
    uint32_t index;

    /* Handed the hart to who runs, and is the next: before all in its queue. In no queue, and its tier not in `ready`. */
    struct fiber *lender;
    uint32_t hwid; /* as the firmware calls it */
    uint32_t irq_context;
    uint32_t class; /* enum nx_hart_class, crucible.c */
    bool online;
    struct list queue[NX_TIERS];
    struct fiber *sleepers; /* root of the heap of deadlines, timeq.c */
    uint64_t armed;         /* what the timer is set to */
    uint64_t since;         /* when the fiber was switched to */
    uint64_t idle_ticks;
    uint64_t switches; /* without that to who was lent the hart */
    uint64_t bit;      /* 1 << index, and HART_RECORDS */

    /* visit.h */
    struct fiber *visit; /* whose handler its fiber runs now: set with the lock, cleared without */
    uint32_t awaited;    /* who has the lock waits for the end of the visit */
    uint64_t guest[14];  /* [own] the visitor's ra, sp, s0 to s11 */

    /* crucible.c */
    uint64_t speed;     /* rounds of its work in a millisecond; 0: not measured yet */
    uint64_t measured;  /* when, last */
    uint64_t measuring; /* ticks that took when it came up */
};

extern struct hart harts[HARTS_MAX];
extern unsigned hart_count;

static inline struct hart *this_hart(void)
{
    return arch_this_hart();
}

extern uint32_t nucleus_lock_word;
void watchdog_lock_wait(void); /* watchdog.h */

static inline void lock(void)
{
    if (__builtin_expect(arch_test_and_set(&nucleus_lock_word), 0)) {
        watchdog_lock_wait();
    }
}

/* Who has lent the hart, if somebody has, goes into its queue. */
void sched_settle_lender(struct hart *h);
static inline void sched_settle(struct hart *h)
{
    if (__builtin_expect(h->lender != NULL, 0)) {
        sched_settle_lender(h);
    }
}

static inline bool try_lock(void)
{
    return !__builtin_expect(arch_test_and_set(&nucleus_lock_word), 0);
}

static inline void unlock(void)
{
    arch_release(&nucleus_lock_word);
}

#endif
