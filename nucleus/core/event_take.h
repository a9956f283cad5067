/* event_take: inline, because every ring message that wakes somebody pays for it. */
#ifndef EVENT_TAKE_H
#define EVENT_TAKE_H

#include "event.h"
#include "fiber.h"

/* As event_signal, but the fiber is handed to the caller, who runs it or makes it ready; NULL: none. */
static inline struct fiber *event_take(const struct listener *to)
{
    struct cell *c = to->cell;
    if (c == NULL) {
        return NULL;
    }
    list_for_each(n, &c->waiting)
    {
        struct fiber *f = list_entry(n, struct fiber, wait_link);
        if ((f->watch >> to->slot & 1) != 0) {
            fiber_unblock(f);
            f->reg[10] = to->slot;
            return f;
        }
    }
    c->pending |= 1ul << to->slot;
    return NULL;
}

#endif
