/* See restart.h. */
#include "restart.h"

#include <nx_base.h>

uint64_t restart_after(struct restart *r, uint64_t born_ms, uint64_t now_ms, uint64_t backoff_ms)
{
    if (now_ms - born_ms > RESTART_SPAN_MS) {
        *r = (struct restart){0};
    }
    r->death[r->deaths++ % RESTART_QUICK] = now_ms;
    if (r->deaths < RESTART_QUICK ||
        now_ms - r->death[r->deaths % RESTART_QUICK] > RESTART_SPAN_MS) {
        return 0;
    }
    r->deaths = 0;
    if (++r->rounds > RESTART_ROUNDS) {
        return RESTART_NEVER;
    }
    uint64_t wait = backoff_ms != 0 ? backoff_ms : RESTART_BACKOFF_MS;
    return NX_MIN(wait << (r->rounds - 1), (uint64_t)RESTART_BACKOFF_MAX_MS);
}
