/* When a cell that died may live again.
 *
 * At once, as a rule.  A cell that dies RESTART_QUICK times within RESTART_SPAN_MS is held back for its
 * manifest's backoff, twice as long each time that happens again, and after RESTART_ROUNDS times it is
 * left dead (quarantine).  A life longer than RESTART_SPAN_MS clears its record.
 *
 * Only deaths of its own fault count.  Being killed is none, but for a client that is killed because its
 * server says that it broke the ring protocol. */
#ifndef SUPERVISOR_RESTART_H
#define SUPERVISOR_RESTART_H

#include <stdint.h>

#define RESTART_QUICK 5u
#define RESTART_SPAN_MS 10000u
#define RESTART_ROUNDS 6u
#define RESTART_BACKOFF_MS 100u /* when the manifest says none */
#define RESTART_BACKOFF_MAX_MS 60000u
#define RESTART_NEVER (~0ul)

struct restart {
    uint64_t death[RESTART_QUICK]; /* times of the latest deaths, ms */
    uint32_t deaths;               /* since the record was cleared */
    uint32_t rounds;               /* times it was held back */
};

/* It died at now_ms, having been started at born_ms: milliseconds to wait, or RESTART_NEVER. */
uint64_t restart_after(struct restart *r, uint64_t born_ms, uint64_t now_ms, uint64_t backoff_ms);

#endif
