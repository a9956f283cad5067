/* Timers that call a function: a list sorted by deadline, and the fiber that serves it.
 *
 * Few are set at a time (one a process with an alarm), so a list will do.
 */
#include <asm/errno.h>
#include "membrane.h"
#include "ptime.h"

static struct ktimer *first;
static struct mb_fiber *service;

static void unlink_timer(struct ktimer *t)
{
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    t->link = NULL;
}

void ktimer_cancel(struct ktimer *t)
{
    if (t->link)
        unlink_timer(t);
}

void ktimer_set(struct ktimer *t, uint64_t deadline)
{
    ktimer_cancel(t);
    t->deadline = deadline;
    struct ktimer **at = &first;
    while (*at && (*at)->deadline <= deadline)
        at = &(*at)->next;
    t->link = at;
    t->next = *at;
    if (t->next)
        t->next->link = &t->next;
    *at = t;
    if (first == t && service && service != mb_self())
        mb_wake(service);
}

static void serve(void *arg)
{
    mb_lock();
    for (;;) {
        struct ktimer *t = first;
        if (t && t->deadline <= mb_ticks()) {
            unlink_timer(t);
            t->fn(t);
            continue;
        }
        mb_park(t ? t->deadline : MB_NEVER);
    }
}

int ktimer_init(void)
{
    service = mb_fiber_start(serve, NULL);
    return service ? 0 : -ENOMEM;
}
