/* Strands: threads of one cell that take turns on one fiber.  The nucleus knows nothing of them: a switch is some twenty
 * instructions and no call, and nothing they share needs a lock, since another one runs only where this one waits,
 * yields or ends.  A cell that serves many at a time, or has many requests under way, writes each as a loop of
 * its own.  For several harts there are fibers (nexus/fiber.h), and each of them may have strands.
 *
 * The fiber that starts the first strand is one itself from then on (its first; it runs until it waits), and needs the
 * pledge `ipc` to wait for anything.  While a strand waits the others run, whatever of this library it waits in: a
 * call (nexus/call.h, stubs), channel_receive() and channel_send(), service_wait(), cell_sleep_ms(), fiber_wait(),
 * strand_join(), or strand_recv(), which is nx_recv_wait() for strands.  When all wait, the fiber sleeps in one recv
 * that watches for all of them.  While one runs and others wait, what those wait for is looked at when it waits
 * or yields, every STRAND_TURNS times.
 *
 * Several strands may make calls over one client (nexus/session.h).  Anything else that is "for one fiber at a
 * time", a channel, a service, is for one strand at a time, from one call of it to the next.  A struct fiber_lock must
 * not be held where one waits.
 */
#ifndef NEXUS_STRAND_H
#define NEXUS_STRAND_H

#include <nexus/strand_turn.h>
#include <nx/types.h>
#include <nx_list.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A strand, in its maker's memory from strand_start() to strand_join().  All of it is the library's. */
struct strand {
    struct list link; /* of the round of those that can run, or of those that wait */
    void *sp;         /* while it does not run: these three are strand_turn.h's */
    void *pc;
    void *fp;
    struct strand **mark; /* its own address stands there unless its stack has overflowed */
    struct strand_set *set;
    void (*run)(void *arg);
    void *arg;
    struct strand *self;   /* what mark points to when the stack has a guard page */
    void *stack;           /* the heap's, or NULL */
    size_t stack_size;     /* bytes */
    uint64_t watch;        /* slots it waits for */
    uint64_t deadline;     /* ticks */
    long result;           /* of the wait */
    struct strand *joiner; /* who waits for its end */
    uint32_t turns;        /* until it looks for those that wait */
    bool waiting, woken, ended;
};
_Static_assert(offsetof(struct strand, link) == 0, "a link is its strand");
_Static_assert(offsetof(struct strand, sp) == STRAND_SP, "strand_turn.h");
_Static_assert(offsetof(struct strand, pc) == STRAND_PC, "strand_turn.h");
_Static_assert(offsetof(struct strand, fp) == STRAND_FP, "strand_turn.h");

#define STRAND_STACK (32ul << 10) /* bytes, when nothing is said */
#define STRAND_STACK_MIN 1024ul   /* bytes; what it calls needs its own */
#define STRAND_TURNS 64u

/* Make a strand of this fiber that will run run(arg), after those that can run already; nothing runs now.  stack: `size` bytes of the
 * caller's, which are its own until strand_join(): an overflow is found at its next switch, and ends the cell
 * (cell_panic).  Or NULL: of the heap, with an unmapped page below; size 0: STRAND_STACK.
 * 0; -NX_EINVAL: less than STRAND_STACK_MIN; -NX_ENOMEM.  One fiber at a time. */
int strand_start(struct strand *s, void (*run)(void *arg), void *arg, void *stack, size_t size);

/* The strand that runs; NULL: this fiber has none. */
struct strand *strand_self(void);

/* Private: a turn that is not only a turn, and the end of who has overflowed its stack. */
void strand_yield_(void);
_Noreturn void strand_overflow_(const struct strand *s);

static inline __attribute__((always_inline)) void strand_leave_(struct strand *me,
                                                                struct strand *to)
{
    if (__builtin_expect(*me->mark != me, 0)) {
        strand_overflow_(me);
    }
    strand_turn_(me, to);
}

/* Let all others that can run have a turn.  When there are none it looks for those that wait, and lets other fibers run
 * (nx_tick_yield()). */
static inline void strand_yield(void)
{
    struct strand *me = strand_running_();
    if (me == NULL || --me->turns == 0) {
        strand_yield_();
    } else {
        strand_leave_(me, list_entry(me->link.next, struct strand, link));
    }
}

/* Run that one now; the caller's turn comes in the round.  0; -NX_EBUSY: it waits or has ended; -NX_EINVAL: it is not of this
 * fiber. */
int strand_switch(struct strand *to);

/* Sleep until a slot of the mask (bit n: slot n) fires, strand_wake() or the deadline (ticks; NX_NEVER: none; 0: only
 * look), while others run: what nx_recv_wait() does for a fiber without strands, with its results: the slot, NX_KICKED, or
 * -NX_ETIME; -NX_EPERM: no pledge `ipc`.  NX_KICKED means: look again.  It comes for a strand_wake(), and whenever another
 * strand that waits for one of these slots goes on, for that one takes back what both have announced.  When a
 * slot fires, all that wait for it go on. */
long strand_recv(uint64_t mask, uint64_t deadline);

/* End the wait of a strand of this fiber, whatever it waits in, or its next one at once (NX_KICKED).  0; -NX_EINVAL: it is not
 * of this fiber.  From another fiber: fiber_wake(), which ends the waits of all of a fiber's strands. */
int strand_wake(struct strand *s);

/* End the strand that runs; the return of its function does the same.  Not the fiber's first one (cell_panic). */
_Noreturn void strand_exit(void);

/* Wait until it has ended, and give its stack back.  Once.  0; -NX_EINVAL: it is the caller, not of this fiber, or joined by another. */
int strand_join(struct strand *s);

#endif
