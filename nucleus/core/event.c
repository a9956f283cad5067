/* Events: make, listen, fire.  See event.h. */
#include "event.h"

#include "cell.h"
#include "event_take.h"
#include "fiber.h"
#include "hart.h"
#include "pool.h"
#include "sched.h"

#define IRQS 1024
static struct pool events = POOL("event", struct event);
static struct event *irq_owner[IRQS];
uint32_t event_count;

struct event *event_make(struct quota *q, uint32_t type)
{
    if (!quota_charge(q, sizeof(struct event), 0)) {
        return NULL;
    }
    struct event *e = pool_alloc(&events);
    if (e == NULL) {
        quota_credit(q, sizeof(struct event));
        return NULL;
    }
    e->obj = (struct object){.type = type, .refs = 1, .quota = q};
    event_count++;
    return e;
}

struct event *event_make_irq(struct quota *q, uint32_t irq, int *err)
{
    if (irq == 0 || irq >= IRQS || irq > arch_irq_count()) {
        *err = -NX_EINVAL;
        return NULL;
    }
    if (irq_owner[irq] != NULL) {
        *err = -NX_EBUSY;
        return NULL;
    }
    struct event *e = event_make(q, NX_T_IRQ);
    if (e == NULL) {
        *err = -NX_ENOMEM;
        return NULL;
    }
    e->irq = irq;
    irq_owner[irq] = e;
    return e;
}

void event_destroy(struct event *e)
{
    if (e->irq != 0) {
        arch_irq_disable(e->irq);
        irq_owner[e->irq] = NULL;
    }
    quota_credit(e->obj.quota, sizeof(struct event));
    pool_free(&events, e);
    event_count--;
}

struct listener *event_listener(struct object *o)
{
    switch (o->type) {
    case NX_T_EVENT:
    case NX_T_IRQ:
        return &((struct event *)o)->to;
    case NX_T_CELL:
        return &((struct cell *)o)->death;
    default:
        return NULL;
    }
}

void event_signal(const struct listener *to)
{
    struct fiber *f = event_take(to);
    if (f != NULL) {
        sched_ready(f);
    }
}

void event_irq(unsigned irq)
{
    lock();
    if (irq < IRQS && irq_owner[irq] != NULL) {
        event_signal(&irq_owner[irq]->to);
    } else {
        arch_irq_disable(irq);
    }
    unlock();
}
