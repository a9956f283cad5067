/* Who runs: queues, switches, idle.  Budgets and the Ratchet are budget.c.  See sched.h. */
#include "sched.h"

#include "budget.h"
#include "crucible.h"
#include "hart.h"
#include "period.h"
#include "place.h"
#include "timeline.h"
#include "timeq.h"
#include "trap.h"
#include "watchdog.h"

#include <nx_base.h>

struct hart harts[HARTS_MAX];
unsigned hart_count;
uint32_t nucleus_lock_word;
uint64_t sched_ipis;

void sched_init_hart(struct hart *h)
{
    for (unsigned t = 0; t < NX_TIERS; t++) {
        list_init(&h->queue[t]);
    }
    h->armed = NX_NEVER;
}

/* ---- queues ---- */
static inline __attribute__((always_inline)) void queue_up(struct hart *h, struct fiber *f,
                                                           bool front, bool foreign)
{
    unsigned long t = fiber_tier(f, foreign);
    f->hart = h;
    f->status = FIBER_READY;
    if (front) {
        list_push_front(&h->queue[t], &f->queue_link);
    } else {
        list_push_back(&h->queue[t], &f->queue_link);
    }
    h->ready |= 1u << t;
}

static struct fiber *take_lender(struct hart *h)
{
    struct fiber *f = h->lender;
    h->lender = NULL;
    f->reg[10] = 0; /* of the bell it rang */
    f->out_time = h->since;
    h->switches++;
    return f;
}

__attribute__((noinline)) void sched_settle_lender(struct hart *h)
{
    struct fiber *f = take_lender(h);
    queue_up(h, f, true, false);
    place_note(h, fiber_tier(f, false));
}

static inline __attribute__((always_inline)) void enqueue(struct hart *h, struct fiber *f,
                                                          bool front, bool foreign)
{
    sched_settle(h);
    queue_up(h, f, front, foreign);
}

void sched_unready(struct fiber *f)
{
    struct hart *h = f->hart;
    timeq_remove(f); /* parked */
    if (h->lender == f) {
        (void)take_lender(h);
        return;
    }
    list_remove(&f->queue_link);
    for (unsigned t = 0; t < NX_TIERS; t++) {
        if (list_is_empty(&h->queue[t])) {
            h->ready &= ~(1u << t);
        }
    }
    if (h->ready == 0 && h->fiber == NULL && h->online) {
        place_idle |= h->bit;
    }
}

static inline __attribute__((always_inline)) struct fiber *dequeue(struct hart *h)
{
    if (__builtin_expect(h->lender != NULL, 0)) {
        return take_lender(h); /* all who have come since then would have put it into line */
    }
    if (h->ready == 0) {
        return NULL;
    }
    unsigned long t = first_tier(h->ready);
    struct list *queue = &h->queue[t], *node = queue->next, *second = node->next;
    queue->next = second;
    second->prev = queue;
    if (second == queue) {
        h->ready &= ~(1u << t);
    }
    return list_entry(node, struct fiber, queue_link);
}

/* An idle hart takes the best fiber that waits on a busy one. */
static struct fiber *steal(void)
{
    for (unsigned i = 0; i < hart_count; i++) {
        sched_settle(&harts[i]);
    }
    struct fiber *f = place_work();
    if (f != NULL) {
        sched_unready(f);
    }
    return f;
}

/* Into a queue for a while, where others may look for it. */
static __attribute__((noinline)) void line_up(struct hart *h, struct fiber *f, bool front)
{
    const unsigned tier = fiber_tier(f, f->in_foreign);
    enqueue(h, f, front, f->in_foreign);
    place_note(h, tier);
    if (period_fibers != 0 && tier == NX_TIER_PHOTON) {
        period_order(f, front);
    }
}

static void poke(struct hart *h)
{
    h->resched = 1;
    if (h != this_hart()) {
        sched_ipis++;
        arch_ipi(h->index);
    }
}

void sched_ready(struct fiber *f)
{
    struct hart *h = place(f);
    if (f->status == FIBER_BLOCKED) {
        budget_refill(f);
    }
    line_up(h, f, false);
    if (h->fiber == NULL) {
        if (h != this_hart()) {
            poke(h);
        }
        return;
    }
    unsigned mine = fiber_tier(f, f->in_foreign);
    unsigned theirs = fiber_tier(h->fiber, h != this_hart() || h->foreign != NULL);
    if (mine < theirs || (mine == theirs && mine == NX_TIER_PHOTON && period_before(f, h->fiber))) {
        poke(h);
    } else if (fiber_tier(h->fiber, true) == NX_TIER_VOID) {
        budget_slice_void(h); /* alone it ran without a deadline, in either mode */
        if (h != this_hart()) {
            poke(h);
        }
    }
}

void sched_first(struct fiber *f)
{
    sched_unready(f);
    budget_refill(f);
    enqueue(this_hart(), f, true, f->in_foreign); /* before periodic ones, too */
    place_note(this_hart(), fiber_tier(f, f->in_foreign));
    poke(this_hart());
}

/* ---- switching: a fiber is switched out, and before the lock is released another is run or the hart is idle.
 * One copy of each part: what messages pay for is handover.c ---- */
static __attribute__((noinline)) void fp_out(struct hart *h, struct fiber *f)
{
    if (arch_fp_dirty() && (f->state->flags & NX_FS_FP_LOAD) == 0) {
        arch_fp_save(f->state);
    }
    arch_fp_off();
    h->fp_live = 0;
}

static __attribute__((noinline)) uint64_t switch_out(struct hart *h, struct fiber *f, bool foreign)
{
    uint64_t now = arch_time();
    budget_account(h, f, now);
    f->in_foreign = foreign;
    f->out_time = now;
    if (f->state != NULL) {
        f->out_instr = arch_instret();
        if (h->fp_live) {
            fp_out(h, f);
        }
    }
    if (foreign) {
        h->foreign = NULL;
    }
    return now;
}

/* The last steps of a switch. */
static inline __attribute__((always_inline)) _Noreturn void run_on(struct hart *h, struct fiber *f,
                                                                   uint64_t now, bool foreign)
{
    budget_arm(h, f, now);
    h->switches++;
    /* Before the unlock: another hart may free the tables that were current until now. */
    arch_root_write(foreign ? f->foreign_root : f->host_root);
    unlock();
    arch_resume_rooted();
}

/* Its personality wants to know where f runs, and when it was switched out of its program: that is left now. */
static __attribute__((noinline)) _Noreturn void run_told(struct hart *h, struct fiber *f,
                                                         uint64_t now, bool foreign)
{
    if (foreign) {
        h->foreign = NULL;
        f->state->hart = h->index + 1;
        f->kick = 0;
        f->reg[10] = NX_LEAVE_KICK;
    } else if (f->state->hart != h->index + 1) {
        f->kick |= KICK_MOVED;
    }
    run_on(h, f, now, false);
}

static __attribute__((noinline)) _Noreturn void run(struct hart *h, struct fiber *f, uint64_t now,
                                                    bool foreign)
{
    f->status = FIBER_RUNNING;
    f->hart = h;
    h->fiber = f;
    h->resched = 0;
    h->foreign = foreign ? f->state : NULL;
    space_enter(f->cell, f->space, h->bit);
    if (f->state != NULL) {
        f->state->time_off += now - f->out_time;
        f->state->instr_off += arch_instret() - f->out_instr;
        if (__builtin_expect(f->state->hart != 0, 0)) {
            run_told(h, f, now, foreign);
        }
    }
    run_on(h, f, now, foreign);
}

static __attribute__((noinline)) _Noreturn void idle(struct hart *h)
{
    h->fiber = NULL;
    if ((h->bit & HART_RECORDS) != 0) {
        timeline_note(h, NULL);
    }
    /* The old fiber's tables may go away while we sleep. */
    arch_root_set(nucleus_root);
    for (;;) {
        h->resched = 0;
        place_idle |= h->bit;
        uint64_t start = arch_time();
        budget_arm(h, NULL, start);
        unlock();
        crucible_idle(h);
        arch_idle();
        arch_poll_interrupts(h);
        lock();
        h->since = arch_time();
        h->idle_ticks += h->since - start;
        struct fiber *f = dequeue(h);
        if (f == NULL) {
            f = steal();
        }
        if (f != NULL) {
            place_idle &= ~h->bit;
            watchdog_busy(h->since);
            run(h, f, h->since, f->in_foreign);
        }
    }
}

/* Better tiers may have been at work for long, one fiber after the other with none of them overrunning (programs that
 * fork without end): a lower tier of which no program has run for a while sends its first one up. */
static __attribute__((noinline)) void raise_passed_over(struct hart *h, unsigned long better,
                                                        uint64_t now)
{
    for (unsigned long t = better + 1; t < NX_TIERS; t++) {
        if ((h->ready & 1u << t) == 0) {
            continue;
        }
        struct fiber *first = list_first(&h->queue[t], struct fiber, queue_link);
        struct fiber *last = list_entry(h->queue[t].prev, struct fiber, queue_link);
        /* Who ran last in this tier is at one of the ends. */
        if (first->in_foreign && first->demotions != 0 &&
            now - NX_MAX(first->out_time, last->out_time) > budget_patience()) {
            sched_unready(first);
            budget_raise(first);
            line_up(h, first, false);
        }
    }
}

static __attribute__((noinline)) _Noreturn void run_next(struct hart *h, uint64_t now)
{
    if ((h->ready & (h->ready - 1)) != 0) {
        raise_passed_over(h, first_tier(h->ready), now);
    }
    struct fiber *f = dequeue(h);
    if (f == NULL) {
        f = steal();
    }
    if (f == NULL) {
        idle(h);
    }
    run(h, f, now, f->in_foreign);
}

_Noreturn void sched_block(struct fiber *f, uint64_t watch, uint64_t deadline)
{
    struct hart *h = this_hart();
    uint64_t now = switch_out(h, f, false);
    f->status = FIBER_BLOCKED;
    if (watch != 0) {
        fiber_wait(f, watch);
    }
    if (deadline != NX_NEVER) {
        f->deadline = deadline;
        timeq_add(h, f);
    }
    run_next(h, now);
}

_Noreturn void sched_hand_over(struct fiber *f, struct fiber *to)
{
    struct hart *h = this_hart();
    uint64_t now = switch_out(h, f, false);
    enqueue(h, f, true, false);
    budget_hand(to);
    run(h, to, now, false);
}

_Noreturn void sched_yield(struct fiber *f)
{
    struct hart *h = this_hart();
    uint64_t now = switch_out(h, f, h->foreign != NULL);
    line_up(h, f, false);
    run_next(h, now);
}

_Noreturn void sched_leave(struct fiber *f)
{
    struct hart *h = this_hart();
    struct cell *c = f->cell;
    uint64_t now = switch_out(h, f, h->foreign != NULL);
    h->fiber = NULL;
    arch_root_set(nucleus_root);
    object_ref(&c->obj);
    fiber_free(f);
    if (c->fiber_count == 0) {
        if (c->state != NX_CS_DYING) {
            cell_end(c, NX_WHY_EXIT, 0, 0, 0);
        } else {
            cell_reap(c);
        }
    }
    object_unref(&c->obj);
    if (watchdog_restarting()) {
        watchdog_revive();
    }
    run_next(h, now);
}

_Noreturn void sched_reschedule(void)
{
    struct hart *h = this_hart();
    struct fiber *f = h->fiber;
    lock();
    if (f->cell->state == NX_CS_DYING) {
        sched_leave(f);
    }
    h->resched = 0;
    sched_settle(h);
    /* Here and not before the lock: a kick that came in between would wait for the next trap of a program that is
     * switched out now, on whatever hart it goes on. */
    if (f->kick != 0 && h->foreign != NULL) {
        f->kick = 0;
        trap_leave(h, NX_LEAVE_KICK);
    }
    bool over = budget_over(h, f);
    unsigned mine = fiber_tier(f, h->foreign != NULL);
    if (over && f->state == NULL &&
        h->ready != 0) { /* two that lend each other the hart come by here only */
        raise_passed_over(h, mine, h->since);
    }
    unsigned best = h->ready != 0 ? first_tier(h->ready) : NX_TIERS;
    const bool parks = over && f->left == 0; /* a release fills it, and nothing else */
    const bool before =
        best == mine && mine == NX_TIER_PHOTON &&
        period_before(list_entry(h->queue[NX_TIER_PHOTON].next, struct fiber, queue_link), f);
    if (best < mine || (over && best == mine) || parks || before) {
        uint64_t now = switch_out(h, f, h->foreign != NULL);
        if (parks) {
            period_park(f);
        } else {
            line_up(h, f, !over);
        }
        run_next(h, now);
    }
    if (h->ready != 0) {
        place_note(h, best);
    }
    budget_arm(h, f, h->since); /* to the tick: what passed since then is run, too */
    unlock();
    arch_resume(h);
}

_Noreturn void sched_enter(void)
{
    struct hart *h = this_hart();
    crucible_boot(h);
    lock();
    h->online = true;
    h->since = arch_time();
    watchdog_busy(h->since);
    run_next(h, h->since);
}

/* ---- interrupts ---- */
void sched_timer(void)
{
    struct hart *h = this_hart();
    lock();
    uint64_t now = arch_time();
    h->armed = NX_NEVER;
    arch_timer_set(NX_NEVER);
    struct fiber *f;
    while ((f = timeq_first(h)) != NULL && f->deadline <= now) {
        if (period_parked(f)) {
            timeq_remove(f);
            period_fill(f);
            sched_ready(f);
        } else {
            fiber_wake(f, f->sleeps ? 0 : -NX_ETIME);
        }
    }
    if (energy_limited != 0 && now >= energy_next) {
        energy_tick(now);
    }
    if (now >= watchdog_due || now >= watchdog_due_idle) {
        watchdog_tick(now);
    }
    if (h->fiber != NULL) {
        h->resched = 1; /* sched_reschedule looks at the budget and arms the timer again */
    } else {
        budget_arm(h, h->fiber, now);
    }
    unlock();
}

void sched_ipi(void)
{
    if (watchdog_ending != 0) {
        arch_halt();
    }
    this_hart()->resched = 1;
}
