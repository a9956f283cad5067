/* event: what a fiber can wait for besides rings - interrupt lines, software events, cell deaths. */
#ifndef EVENT_H
#define EVENT_H

#include "object.h"

struct event {
    struct object obj; /* NX_T_EVENT or NX_T_IRQ */
    struct listener to;
    uint32_t irq;
};

struct event *event_make(struct quota *q, uint32_t type);
void event_destroy(struct event *e);
/* An interrupt line as an event; NULL and *err when it has an owner or does not exist. */
struct event *event_make_irq(struct quota *q, uint32_t irq, int *err);
/* Where an object reports to, or NULL for types that do not (rings have two, see ring.h). */
struct listener *event_listener(struct object *o);
/* Fire: a fiber that watches the slot becomes ready; without one the slot's pending bit is set. */
void event_signal(const struct listener *to);
/* From the interrupt controller, without the lock. */
void event_irq(unsigned irq);
extern uint32_t event_count;

#endif
