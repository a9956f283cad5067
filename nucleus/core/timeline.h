/* The timeline: who ran when, a record for each switch, kept for each hart while somebody wants it (meta TIMELINE, SWITCHES).
 *
 * Off, it costs a switch nothing: a hart that records has HART_RECORDS in its bit, all windows have it in their set of stale
 * harts, and so every switch of such a hart goes the way of those that have to forget something (space_enter_stale).  The newest records are
 * kept, some 2,300 a hart.  With the nucleus lock.
 */
#ifndef TIMELINE_H
#define TIMELINE_H

#include "fiber.h"
#include "hart.h"

#define TIMELINE_PAGES 32u /* a hart */
#define TIMELINE_MOST_SECONDS 10u

/* Forget what there is, and record for so many ticks; 0: only forget.  0, -NX_EINVAL, -NX_ENOMEM. */
int timeline_record(uint64_t ticks);
/* h is going to run f (NULL: nothing). */
void timeline_note(struct hart *h, const struct fiber *f);
/* f is freed. */
void timeline_forget(const struct fiber *f);
/* The first record of that hart from `number` on that is still there. */
bool timeline_read(uint64_t hart, uint64_t number, struct nx_switch *out);

#endif
