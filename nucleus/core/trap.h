/* What a trap means: the policy behind the ISA's trap entry. */
#ifndef TRAP_H
#define TRAP_H

#include "fiber.h"

struct hart;

/* Reserve of pages that foreign programs may not take, so that the personality itself goes on. */
#define FOREIGN_RESERVE_PAGES 192u

/* A page fault of the running fiber (foreign: in foreign mode).  True: resolved, go on where it was.
 * False: the fiber has been turned to where it goes on, or is gone (hart->resched is set). */
void trap_fault(struct hart *h, uint64_t addr, unsigned access, uint64_t cause);
/* Any other exception of user mode. */
void trap_other(struct hart *h, uint64_t cause, uint64_t addr);
/* Floating point while it is off, in foreign mode: load the program's registers. */
void trap_fp(struct hart *h);
/* Leave foreign mode: enter answers `reason`. */
void trap_leave(struct hart *h, int reason);
/* On the way back to user mode: kicks, rescheduling. */
_Noreturn void trap_return(struct hart *h);

#endif
