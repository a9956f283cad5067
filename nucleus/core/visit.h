/* Visits: a fiber of a fused cell runs the handler of a fused server itself.
 *
 * A fiber that blocks in recv SERVE has its door open at the slots it watches.  Who calls the SysTable's `visit` with the other
 * end of one of their rings, on the hart the server last ran on, runs the handler there and then: in the server's address space, on
 * its stack below where it waits, on the caller's budget, with interrupts off (fused_visit, arch/riscv64/visit.S).  For all
 * others the server is a blocked fiber.
 *
 *  - A visit begins with the nucleus lock, which it gives back before the handler runs; hart->visit says that it is on.
 *  - A fiber is visited by its own hart only, which stays the same while it is blocked: so one visit at a time, and what happens on
 *    that hart happens before or after it.
 *  - Whoever takes a fiber out of its wait shuts its door first (visit_shut, with the lock): waits until nobody is inside,
 *    and nobody comes in any more, for that takes the lock.
 *  - A fault in a handler needs the lock, and whoever has it may be waiting for this very visit. A page that can be had
 *    is resolved with the lock of who waits (hart->awaited); else the visit is over first, and its server is
 *    ended afterwards, if it is still there.
 *
 * Model: visit.pml.
 */
#ifndef VISIT_H
#define VISIT_H

#include "fiber.h"
#include "hart.h"

/* f, which is about to block, may be visited at these slots of its cell, if that is fused. With the lock. */
void visit_open(struct fiber *f, uint64_t slots, uint64_t entry, uint64_t arg);
/* Its window is to be fenced on some harts before they run it: there it is not visited until it has run itself. */
static inline void visit_stale(struct cell *c)
{
    if (c->sleeper != NULL && c->sleeper->door != 0 &&
        (c->window.stale & c->sleeper->hart->bit) != 0) {
        visit_shut(c->sleeper);
    }
}
/* The fault of a handler.  Without the lock; the visit goes on or is over. */
void visit_fault(struct hart *h, uint64_t addr, unsigned access, uint64_t cause);
/* The visit is over: the server's cell ends, and the visitor's call answers -NX_EPEER. */
void visit_broken(struct hart *h, uint64_t cause, uint64_t pc, uint64_t addr);
/* A call of the nucleus in a visit, from pc. */
_Noreturn void visit_call(struct hart *h, uint64_t pc);
/* Whose handler runs there, or NULL. With the lock; it may be over at any time. */
static inline struct cell *visit_of(const struct hart *h)
{
    const struct fiber *s = __atomic_load_n(&h->visit, __ATOMIC_ACQUIRE);
    return s != NULL ? s->cell : NULL;
}

#endif
