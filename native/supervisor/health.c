/* See health.h. */
#include "health.h"

#include <nx_base.h>

void health_start(struct health *h, uint64_t now_ms, uint64_t heartbeat_ms, uint64_t energy)
{
    *h = (struct health){
        .beat_due = heartbeat_ms != 0 ? now_ms + heartbeat_ms : HEALTH_NEVER,
        .energy_due = energy != 0 ? now_ms + HEALTH_ENERGY_MS : HEALTH_NEVER,
        .energy_since = now_ms,
        .burn_due = HEALTH_NEVER,
    };
}

uint64_t health_due(const struct health *h)
{
    return NX_MIN(NX_MIN(h->beat_due, h->energy_due), h->burn_due);
}

void health_sunk(struct health *h, uint64_t now_ms, const struct health_run *run)
{
    if (h->burn_due == HEALTH_NEVER) {
        h->burn_due = now_ms + HEALTH_BURN_MS;
        h->burn_us = run->used_us;
        h->burn_moved = run->moved;
    }
}

static bool hung(struct health *h, uint64_t now_ms, uint64_t heartbeat_ms, uint64_t beats)
{
    bool beaten = beats != h->beats;
    bool was_late = h->late;
    h->beats = beats;
    h->late = !beaten;
    h->beat_due = now_ms + heartbeat_ms;
    return !beaten && was_late;
}

static bool spent(struct health *h, uint64_t now_ms, uint64_t energy, uint64_t used_us)
{
    uint64_t may, ms = now_ms - h->energy_since, used = used_us - h->used_us;
    bool endless = nx_mul_overflow(energy, ms, &may);
    h->energy_since = now_ms;
    h->used_us = used_us;
    h->energy_due = now_ms + HEALTH_ENERGY_MS;
    return !endless && used > may / 1000;
}

static bool burns(struct health *h, uint64_t now_ms, const struct health_run *run)
{
    const bool works = run->moved != h->burn_moved;
    if (works) {
        h->burn_us = run->used_us;
        h->burn_moved = run->moved;
    }
    h->burn_due = run->in_void ? now_ms + HEALTH_BURN_MS : HEALTH_NEVER;
    return run->in_void && !works && run->used_us - h->burn_us >= HEALTH_BURN_US;
}

enum health_state health_look(struct health *h, uint64_t now_ms, uint64_t heartbeat_ms,
                              uint64_t beats, uint64_t energy, const struct health_run *run)
{
    if (now_ms >= h->beat_due && hung(h, now_ms, heartbeat_ms, beats)) {
        return HEALTH_HUNG;
    }
    if (now_ms >= h->energy_due && spent(h, now_ms, energy, run->used_us)) {
        return HEALTH_SPENT;
    }
    if (now_ms >= h->burn_due && burns(h, now_ms, run)) {
        return HEALTH_BURNS;
    }
    return HEALTH_GOOD;
}
