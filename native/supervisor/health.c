/* See health.h. */
#include "health.h"

void health_start(struct health *h, uint64_t now_ms, uint64_t heartbeat_ms)
{
    *h = (struct health){.due = heartbeat_ms != 0 ? now_ms + heartbeat_ms : HEALTH_NEVER};
}

bool health_hung(struct health *h, uint64_t now_ms, uint64_t heartbeat_ms, uint64_t beats)
{
    if (now_ms < h->due) {
        return false;
    }
    bool beaten = beats != h->beats;
    bool was_late = h->late;
    h->beats = beats;
    h->late = !beaten;
    h->due = now_ms + heartbeat_ms;
    return !beaten && was_late;
}
