/* Lending a tier: who waits for a server of a worse tier makes it run at its own, and pays.
 *
 * A bell through a capability with NX_R_LEND lends the caller's tier to the fiber that serves the ring, when that runs at a
 * worse one. The loan is what the caller has left of its budget and not more: what the server runs is taken from the
 * caller's budget, and when nothing is left the server goes on as itself, without a strike. It ends also when the server waits in recv
 * or sleeps, when one of the two enters a program or ends, and when the caller has used up its budget itself.
 *
 * Who runs on a loan may lend it on, to the server it needs itself, and while that has it may wait without losing its own: so a chain of
 * calls runs at the tier of its first caller, on one budget. A fiber has lent to one other at a time, the one it rang last.
 *
 * No loan: for a program (foreign mode runs at its own tier), for a cell without energy, which would run free of charge, and
 * from who has nothing left.
 *
 * All of this is off the way of a message between equals. With the nucleus lock.
 */
#ifndef LEND_H
#define LEND_H

#include "fiber.h"

/* f rings `to`, which has been woken or waits, and is of a worse tier. Did it lend? */
bool lend(struct fiber *f, struct fiber *to);
/* f rang, and nobody waited: whoever of that cell is at work already gets the loan. */
void lend_late(struct fiber *f, const struct cell *c);
/* The loan f runs on is over, and what has been lent on of it; harmless when there is none. */
void lend_end(struct fiber *f);
/* f, which runs on a loan or has lent, is about to wait. */
void lend_wait(struct fiber *f);
/* f is freed. */
void lend_forget(struct fiber *f);

#endif
