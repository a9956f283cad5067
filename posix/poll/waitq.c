/* Wait queues: see include/waitq.h.
 *
 * A waiter stays queued until its owner takes it off; waking only marks it and its fiber.  So a wake-up
 * that comes before the sleep is seen, and a queue may wake the same waiter more than once.
 */
#include "include/task.h"
#include "include/waitq.h"

#include <asm/errno.h>

void waitq_init(struct waitq *q)
{
    q->head = q->tail = NULL;
}

/* Those who share stand before all that are exclusive, so that they see every wake-up. */
static void enqueue(struct waitq *q, struct waiter *w)
{
    w->queue = q;
    w->fired = false;
    if (!w->exclusive && q->head != NULL) {
        w->prev = NULL;
        w->next = q->head;
        q->head->prev = w;
        q->head = w;
        return;
    }
    w->next = NULL;
    w->prev = q->tail;
    if (q->tail != NULL) {
        q->tail->next = w;
    } else {
        q->head = w;
    }
    q->tail = w;
}

void wait_add(struct waitq *q, struct waiter *w)
{
    w->fiber = mb_self();
    w->fn = NULL;
    enqueue(q, w);
}

void wait_add_fn(struct waitq *q, struct waiter *w, bool (*fn)(struct waiter *w))
{
    w->fiber = NULL;
    w->fn = fn;
    enqueue(q, w);
}

static inline void take_off(struct waitq *q, struct waiter *w)
{
    if (w->prev != NULL) {
        w->prev->next = w->next;
    } else {
        q->head = w->next;
    }
    if (w->next != NULL) {
        w->next->prev = w->prev;
    } else {
        q->tail = w->prev;
    }
    w->queue = NULL;
}

void wait_remove(struct waiter *w)
{
    if (w->queue != NULL) {
        take_off(w->queue, w);
    }
}

void waitq_close(struct waitq *q)
{
    while (q->head != NULL) {
        take_off(q, q->head);
    }
}

/* False: it was nobody's. */
static bool fire(struct waiter *w)
{
    if (w->fn != NULL) {
        return w->fn(w);
    }
    struct task *t = w->fiber->task;
    w->fired = true;
    if (t != NULL && (t->state == 'S' || t->state == 'D')) {
        t->state = 'R'; /* from now on, not from when it gets a hart */
    }
    mb_wake(w->fiber);
    return true;
}

void wait_wake(struct waitq *q)
{
    for (struct waiter *w = q->head; w != NULL; w = w->next) {
        if (!w->fired) {
            fire(w);
        }
    }
}

/* Everybody who shares (poll), and the first of those that want to be alone. */
void wait_wake_one(struct waitq *q)
{
    for (struct waiter *w = q->head; w != NULL; w = w->next) {
        if (!w->fired && fire(w) && w->exclusive) {
            return;
        }
    }
}

void wait_pass_on(struct waitq *q)
{
    for (struct waiter *w = q->head; w != NULL; w = w->next) {
        if (!w->fired && w->exclusive && w->fn == NULL) {
            fire(w);
            return;
        }
    }
}

/* Sleep, seen as sleeping (S), or as waiting for a device (D), by ps. */
static int park_as(char state, uint64_t deadline)
{
    struct task *t = current;
    if (t == NULL) {
        return mb_park(deadline);
    }
    t->state = state;
    int err = mb_park(deadline);
    t->state = 'R';
    return err;
}

static int park(uint64_t deadline)
{
    return park_as('S', deadline);
}

/* The queue points to our stack only while we are in here; gcc does not see that take_off ends it. */
#pragma GCC diagnostic ignored "-Wdangling-pointer"
static int sleep_on(struct waitq *q, uint64_t deadline, bool (*interrupts)(void), bool exclusive)
{
    struct waiter w = {.exclusive = exclusive};
    int err = 0;
    if (interrupts()) {
        return -EINTR;
    }
    wait_add(q, &w);
    while (!w.fired && err == 0) {
        err = park(deadline);
        if (!w.fired && interrupts()) {
            err = -EINTR;
        }
    }
    take_off(q, &w);
    return w.fired ? 0 : err;
}

void wait_on_device(struct waitq *q)
{
    struct waiter w = {.exclusive = false};
    wait_add(q, &w);
    while (!w.fired) {
        park_as('D', MB_NEVER);
    }
    take_off(q, &w);
}

int wait_on(struct waitq *q, uint64_t deadline)
{
    return sleep_on(q, deadline, signal_interrupts, false);
}

int wait_on_one(struct waitq *q, uint64_t deadline)
{
    return sleep_on(q, deadline, signal_interrupts, true);
}

int wait_on_killable(struct waitq *q, uint64_t deadline)
{
    return sleep_on(q, deadline, signal_fatal, false);
}

int wait_park(uint64_t deadline)
{
    if (signal_interrupts()) {
        return -EINTR;
    }
    int err = park(deadline);
    return signal_interrupts() ? -EINTR : err;
}
