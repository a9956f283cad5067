/* Timers that call a function: a pairing heap by deadline, and the fiber that serves it.
 *
 *   first -> the soonest, its children in a list (child, next), theirs below them; link points at what points here
 *
 * Setting one costs a comparison, taking one out those that its children need: the logarithm of their number, over
 * time.  It needs no memory.  Of one deadline the one that was set first comes first.
 */
#include <asm/errno.h>
#include "membrane.h"
#include "ptime.h"

static struct ktimer *first;
static uint64_t numbers;
static struct mb_fiber *service;

static bool before(const struct ktimer *a, const struct ktimer *b)
{
    return a->deadline != b->deadline ? a->deadline < b->deadline : a->number < b->number;
}

/* One tree of two, whose roots have no siblings. */
static struct ktimer *meld(struct ktimer *a, struct ktimer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (before(b, a)) {
        struct ktimer *t = a;
        a = b;
        b = t;
    }
    b->next = a->child;
    b->link = &a->child;
    if (b->next)
        b->next->link = &b->next;
    a->child = b;
    return a;
}

/* One tree of a list of siblings: two by two, then all from the last pair on. */
static struct ktimer *meld_all(struct ktimer *t)
{
    struct ktimer *pairs = NULL, *root = NULL;
    while (t) {
        struct ktimer *one = t, *two = t->next;
        t = two ? two->next : NULL;
        one->next = NULL;
        if (two)
            two->next = NULL;
        one = meld(one, two);
        one->next = pairs;
        pairs = one;
    }
    while (pairs) {
        struct ktimer *next = pairs->next;
        pairs->next = NULL;
        root = meld(root, pairs);
        pairs = next;
    }
    return root;
}

static void set_first(struct ktimer *t)
{
    first = t;
    if (t)
        t->link = &first;
}

void ktimer_cancel(struct ktimer *t)
{
    if (!t->link)
        return;
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    set_first(meld(first, meld_all(t->child)));
    t->link = NULL;
    t->child = t->next = NULL;
}

void ktimer_set(struct ktimer *t, uint64_t deadline)
{
    ktimer_cancel(t);
    t->deadline = deadline;
    t->number = numbers++;
    t->child = t->next = NULL;
    set_first(meld(first, t));
    if (first == t && service && service != mb_self())
        mb_wake(service);
}

static void serve(void *arg)
{
    mb_lock();
    for (;;) {
        struct ktimer *t = first;
        if (t && t->deadline <= mb_ticks()) {
            ktimer_cancel(t);
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
