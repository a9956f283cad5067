/* Strands.  See nexus/strand.h.
 *
 * Those that can run are a ring of `link`, the one that runs among them; a turn is a step along it.  Those that wait are in
 * the set's list.  When the ring would become empty, the one that was last in it sleeps for all, on its own stack, until
 * somebody can run: there is no strand for that, and none is needed.
 *
 * Whoever leaves a wait takes back what it had announced (nx_ring_sleep_cancel()), for all that share the ring.  So all that
 * wait for one of its slots leave with it, and announce anew.
 */
#include "strand_stack.h"
#include "wait.h"

#include <nexus/cell.h>
#include <nexus/strand.h>
#include <nx_base.h>
#include <stdlib.h>

#define HEARD_TURNS \
    8u /* after so many sleeps all slots are looked at, not the first that fired alone */

/* The strands of one fiber. */
struct strand_set {
    struct strand first; /* the fiber's own */
    struct list waiting;
    struct strand
        *next; /* while the one that runs is not in the ring: whose turn it is, NULL: nobody's */
    uint32_t count; /* started and not joined */
    uint32_t heard;
};

struct strand *strand_self(void)
{
    return strand_running_();
}

_Noreturn void strand_overflow_(const struct strand *s)
{
    cell_panic("the stack of strand %p has overflowed", (const void *)s);
}

/* ---- who can run ---- */

static struct strand *strand_of(struct list *l)
{
    return list_entry(l, struct strand, link);
}

/* Put it at the end of the round. */
static void ready(struct strand *me, struct strand *s, long result)
{
    struct strand_set *set = me->set;
    struct strand *at = me->waiting || me->ended ? set->next : me;
    s->result = result;
    s->waiting = false;
    list_remove(&s->link);
    if (at != NULL) {
        list_insert_before(&at->link, &s->link);
    } else {
        set->next = s;
    }
}

/* Who waits for one of these slots goes on, and so does who waits for something that one of those waits for. */
static void ready_all(struct strand *me, uint64_t mask, long result)
{
    struct list *all = &me->set->waiting;
    struct list *l = all->next;
    while (l != all) {
        struct strand *s = strand_of(l);
        l = l->next;
        if ((s->watch & mask) != 0) {
            const bool fired = result < (long)NX_SLOTS && (s->watch >> result & 1) != 0;
            mask |= s->watch;
            ready(me, s, fired ? result : NX_KICKED);
            l = all->next;
        }
    }
}

static void ready_one(struct strand *me, struct strand *s, long result)
{
    ready(me, s, result);
    ready_all(me, s->watch, NX_KICKED);
}

/* ---- what is waited for ---- */

static void expire(struct strand *me)
{
    const uint64_t now = cell_now();
    struct list *all = &me->set->waiting;
    struct list *l = all->next;
    while (l != all) {
        struct strand *s = strand_of(l);
        l = l->next;
        if (s->deadline <= now) {
            ready_one(me, s, -NX_ETIME);
            l = all->next;
        }
    }
}

/* Ask the nucleus what has fired, and sleep for it when nobody can run. */
static void hear(struct strand *me, bool sleep)
{
    struct strand_set *set = me->set;
    uint64_t mask = 0, deadline = NX_NEVER;
    if (list_is_empty(&set->waiting)) {
        return;
    }
    list_for_each(l, &set->waiting)
    {
        mask |= strand_of(l)->watch;
        deadline = NX_MIN(deadline, strand_of(l)->deadline);
    }
    const bool timed = deadline != NX_NEVER;
    /* The nucleus tells the lowest slot first; one that fires all the time must not hide the others. */
    const bool all = !sleep || ++set->heard % HEARD_TURNS == 0;
    long r = nx_recv_wait(mask, sleep ? deadline : 0);
    while (r >= 0 && r < (long)NX_SLOTS) {
        ready_all(me, 1ul << r, r);
        mask &= ~(1ul << r);
        r = all && mask != 0 ? nx_recv_wait(mask, 0) : -NX_ETIME;
    }
    while (r != -NX_ETIME && !list_is_empty(&set->waiting)) {
        ready(me, strand_of(set->waiting.next),
              r); /* a kick is for any of them, an error for all */
    }
    if (timed) {
        expire(me);
    }
}

/* Every so many turns, look for those that wait. */
static void turned(struct strand *me)
{
    if (--me->turns == 0) {
        me->turns = STRAND_TURNS;
        hear(me, false);
    }
}

/* ---- turns ---- */

static void leave_round(struct strand *me)
{
    struct list *next = me->link.next;
    me->set->next = next != &me->link ? strand_of(next) : NULL;
    list_remove(&me->link);
}

/* The one that runs has left the round: run somebody, perhaps it. */
static void give_way(struct strand *me)
{
    struct strand_set *set = me->set;
    if (set->next != NULL) {
        turned(me);
    }
    while (set->next == NULL) {
        hear(me, true);
    }
    struct strand *to = set->next;
    set->next = NULL;
    if (to != me) {
        strand_leave_(me, to);
    }
}

void strand_yield_(void)
{
    struct strand *me = strand_running_();
    if (me == NULL) {
        (void)nx_tick_yield();
        return;
    }
    hear(me, false);
    if (me->link.next == &me->link) {
        (void)nx_tick_yield();
    }
    const bool alone = me->link.next == &me->link;
    me->turns = alone ? 1 : STRAND_TURNS;
    if (!alone) {
        strand_leave_(me, strand_of(me->link.next));
    }
}

int strand_switch(struct strand *to)
{
    struct strand *me = strand_running_();
    if (me == NULL || to->set != me->set) {
        return -NX_EINVAL;
    }
    if (to->waiting || to->ended) {
        return -NX_EBUSY;
    }
    turned(me);
    if (to != me) {
        strand_leave_(me, to);
    }
    return 0;
}

long strand_recv(uint64_t mask, uint64_t deadline)
{
    struct strand *me = strand_running_();
    if (me == NULL) {
        return nx_recv_wait(mask, deadline);
    }
    if (me->woken) {
        me->woken = false;
        ready_all(me, mask, NX_KICKED);
        return NX_KICKED;
    }
    me->watch = mask;
    me->deadline = deadline;
    leave_round(me);
    me->waiting = true;
    list_push_back(&me->set->waiting, &me->link);
    if (deadline == 0) {
        hear(me, false); /* and so it is in the round again */
    }
    give_way(me);
    return me->result;
}

int strand_wake(struct strand *s)
{
    struct strand *me = strand_running_();
    if (me == NULL || s->set != me->set) {
        return -NX_EINVAL;
    }
    if (s->waiting) {
        ready_one(me, s, NX_KICKED);
    } else {
        s->woken = true;
    }
    return 0;
}

/* For the rest of the library: see wait.h. */
static void again(uint64_t mask)
{
    struct strand *me = strand_running_();
    if (me != NULL) {
        ready_all(me, mask, NX_KICKED);
    }
}

/* ---- beginning and end ---- */

static int set_make(void)
{
    static const struct waiting ours = {.recv = strand_recv, .again = again};
    struct strand_set *set = calloc(1, sizeof(*set));
    if (set == NULL) {
        return -NX_ENOMEM;
    }
    set->first = (struct strand){.set = set, .turns = STRAND_TURNS, .self = &set->first};
    set->first.mark = &set->first.self;
    list_init(&set->first.link);
    list_init(&set->waiting);
    strand_runs_(&set->first);
    waiting = &ours;
    return 0;
}

/* Of the fiber that has none any more. */
static void set_free(struct strand_set *set)
{
    strand_runs_(NULL);
    free(set);
}

_Noreturn void strand_exit(void)
{
    struct strand *me = strand_running_();
    if (me == NULL || me == &me->set->first) {
        cell_panic("strand_exit outside of a strand");
    }
    leave_round(me);
    me->ended = true;
    if (me->joiner != NULL) {
        (void)strand_wake(me->joiner);
    }
    for (;;) {
        give_way(me);
    }
}

/* Where a strand begins: the first turn to it returns here. */
static _Noreturn void begin(void)
{
    struct strand *me = strand_running_();
    me->run(me->arg);
    strand_exit();
}

int strand_start(struct strand *s, void (*run)(void *arg), void *arg, void *stack, size_t size)
{
    struct strand *me = strand_running_();
    if (stack == NULL && size == 0) {
        size = STRAND_STACK;
    }
    if (size < STRAND_STACK_MIN) {
        return -NX_EINVAL;
    }
    int e = me == NULL ? set_make() : 0;
    if (e != 0) {
        return e;
    }
    me = strand_running_();
    *s = (struct strand){.set = me->set, .run = run, .arg = arg, .turns = STRAND_TURNS, .self = s};
    uint8_t *bottom = stack;
    if (stack == NULL) {
        s->stack = bottom = strand_stack_take(size);
        s->stack_size = size;
        s->mark = &s->self;
    } else {
        s->mark = (struct strand **)(((uintptr_t)stack + 7) & ~7ul);
        *s->mark = s;
    }
    if (bottom == NULL) {
        if (me->set->count == 0) {
            set_free(me->set);
        }
        return -NX_ENOMEM;
    }
    s->sp = (void *)((uintptr_t)(bottom + size) & ~15ul);
    s->pc = (void *)begin;
    list_insert_before(&me->link, &s->link);
    me->set->count++;
    return 0;
}

int strand_join(struct strand *s)
{
    struct strand *me = strand_running_();
    if (me == NULL || s->set != me->set || s == me || s == &me->set->first || s->joiner != NULL) {
        return -NX_EINVAL;
    }
    s->joiner = me;
    while (!s->ended) {
        (void)strand_recv(0, NX_NEVER);
    }
    if (s->stack != NULL) {
        strand_stack_give(s->stack, s->stack_size);
    }
    s->set = NULL;
    if (--me->set->count == 0) {
        set_free(me->set);
    }
    return 0;
}
