/* Does a cell that runs do what its manifest promises, that is, does it beat?
 *
 * Looked at only when a look is due, and due only while there are cells that promise something: an idle
 * machine stays asleep.
 *
 * A look every heartbeat_ms.  A cell that has not beaten between two looks is late, and one that is late
 * twice in a row is hung: it had between one and two times heartbeat_ms without a beat, never less than
 * one.
 *
 * Energy is not looked at here: the nucleus accounts it, and holds to it those that have a limit. */
#ifndef SUPERVISOR_HEALTH_H
#define SUPERVISOR_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#define HEALTH_NEVER (~0ul)

struct health {
    uint64_t due; /* ms: the next look; HEALTH_NEVER: it need not beat */
    uint64_t beats;
    bool late;
};

/* A life begins. */
void health_start(struct health *h, uint64_t now_ms, uint64_t heartbeat_ms);

/* Look, whether due or not: is it hung?  beats: what stands in its page. */
bool health_hung(struct health *h, uint64_t now_ms, uint64_t heartbeat_ms, uint64_t beats);

#endif
