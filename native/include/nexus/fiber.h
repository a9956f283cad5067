/* Fibers: threads of one cell, on several harts when the machine has them.  The manifest's `quota fibers=` says how many
 * a cell may have, its main one among them; starting one takes the pledge `spawn`.
 *
 * Most of this library is for one fiber at a time, as each header says.  What fibers share they guard with a
 * struct fiber_lock; to hand work on, a ring, or fiber_wait() and fiber_wake(), sleep better than a lock.
 */
#ifndef NEXUS_FIBER_H
#define NEXUS_FIBER_H

#include <nx/types.h>
#include <stddef.h>
#include <stdint.h>

struct fiber {
    uint64_t handle;
    void (*run)(void *arg);
    void *arg;
    void *stack;
    size_t stack_size;
    uint64_t joiner; /* handle of who waits for the end, or 0 */
    uint32_t ended;
};

#define FIBER_STACK (64ul << 10)

/* Run run(arg) in a new fiber of this tier (NX_TIER_*, not better than the cell's) on a stack of its own, of `stack` bytes
 * (0: FIBER_STACK) with an unmapped page below.  `f` is the caller's memory and stays where it is until fiber_join().
 * 0; -NX_ENOMEM: no memory or the manifest's fibers are used up; -NX_EPERM: no pledge `spawn`, or too good a tier.
 * One fiber at a time. */
int fiber_start(struct fiber *f, void (*run)(void *arg), void *arg, size_t stack, unsigned tier);

/* Wait until it has returned, and give its stack back.  Once, from one fiber. */
void fiber_join(struct fiber *f);

/* The caller's own handle, for fiber_wake(). */
uint64_t fiber_self(void);

/* Sleep until fiber_wake() or the deadline (ticks; NX_NEVER: none): 0, or -NX_ETIME.  A wake-up may be meant for something
 * else, and one that came before the sleep ends it at once: look again at what you wait for. */
int fiber_wait(uint64_t deadline);

/* Wake the fiber of this handle out of fiber_wait() or nx_recv_wait(), now or when it next would sleep.  0 or -NX_EBADF: it
 * has ended. */
int fiber_wake(uint64_t handle);

/* A lock for short stretches: who finds it taken lets others run and tries again. */
struct fiber_lock {
    uint32_t taken;
};

/* Take the lock.  Not twice: the fiber would wait for itself. */
void fiber_lock(struct fiber_lock *l);

/* Give it back. */
void fiber_unlock(struct fiber_lock *l);

#endif
