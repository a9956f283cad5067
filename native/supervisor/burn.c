/* See burn.h. */
#include "burn.h"

void burn_start(struct burn *b)
{
    *b = (struct burn){.due = BURN_NEVER};
}

void burn_sunk(struct burn *b, uint64_t now_ms, const struct burn_run *run)
{
    if (b->due == BURN_NEVER) {
        *b = (struct burn){now_ms + BURN_MS, run->used_us, run->moved};
    }
}

bool burn_look(struct burn *b, uint64_t now_ms, const struct burn_run *run)
{
    if (now_ms < b->due) {
        return false;
    }
    const bool works = run->moved != b->moved;
    if (works) {
        b->used_us = run->used_us;
        b->moved = run->moved;
    }
    b->due = run->in_void ? now_ms + BURN_MS : BURN_NEVER;
    return run->in_void && !works && run->used_us - b->used_us >= BURN_US;
}
