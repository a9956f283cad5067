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
    struct fiber *f = c->sleeper;
    for (struct list *n = &c->waiting; f != NULL && (f->watch >> to->slot & 1) == 0;) {
        n = n->next;
        f = n != &c->waiting ? list_entry(n, struct fiber, wait_link) : NULL;
    }
    if (f == NULL) {
        c->pending |= 1ul << to->slot;
    } else {
        fiber_unblock(f);
        f->reg[10] = to->slot;
    }
    return f;
}

#endif
