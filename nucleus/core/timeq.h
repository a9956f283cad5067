/* Sleep deadlines: a pairing heap of fibers per hart (no memory, O(log n) amortised). */
#ifndef TIMEQ_H
#define TIMEQ_H

#include "fiber.h"

struct hart;

void timeq_add(struct hart *h, struct fiber *f); /* by f->deadline */
void timeq_remove(struct fiber *f);              /* harmless when it is in none */
struct fiber *timeq_first(const struct hart *h); /* earliest, or NULL */

#endif
