/* From the nucleus' log and Boot Error Buffer into one stream, in order of time.
 *
 * What is stamped no later than a moment is there to be read after that moment, since the nucleus stamps
 * and stores under one lock.  So both are read up to a moment that passed, and merged up to it. */
#ifndef LOGD_DRAIN_H
#define LOGD_DRAIN_H

#include "history.h"

#include <stdbool.h>

#define DRAIN_LINES 32u
#define DRAIN_MOST 512u /* records moved in one go: others want to be served, too */

struct drain {
    uint64_t timebase; /* ticks per second */
    struct nx_log line[DRAIN_LINES];
    struct nx_beb entry[DRAIN_LINES];
    unsigned lines, line_at, entries, entry_at; /* read, and of them moved */
    bool no_lines, no_entries;                  /* there were no more when last read */
};

/* Begin, with a history that is open.  The newest is always in the nucleus, so who has moved something finds
 * something from there on: if not, a damaged life wrote down a number that never was.  Then nothing of the
 * history is believed, and it begins with the oldest the nucleus has. */
void drain_open(struct drain *d, struct history *h);

/* Move what there is into the history: how many records (DRAIN_MOST: there may be more). */
unsigned drain(struct drain *d, struct history *h);

#endif
