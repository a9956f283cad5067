/* Spectrum budgets and the Ratchet.  With the nucleus lock.  See sched.h. */
#ifndef BUDGET_H
#define BUDGET_H

#include "fiber.h"

struct hart;

void budget_refill(struct fiber *f); /* a new activation begins; good behaviour is rewarded */
void budget_account(struct hart *h, struct fiber *f, uint64_t now); /* it ran since h->since */
/* Account the running fiber; when its budget is used up: strike, log, Ratchet, new budget, true. */
bool budget_over(struct hart *h, struct fiber *f);
/* Set the timer if something of this hart is due before it fires. */
void budget_arm(struct hart *h, uint64_t now);
/* A second Void fiber arrived: the running one gets a slice. */
void budget_slice_void(struct hart *h);

#endif
