/* Who runs: queues, switches, idle.  Budgets and the Ratchet are budget.c.  See sched.h. */
#include "sched.h"

#include "budget.h"
#include "hart.h"
#include "timeq.h"

#include <nx_base.h>

struct hart harts[HARTS_MAX];
unsigned hart_count;
uint32_t nucleus_lock_word;
uint64_t sched_switches, sched_ipis;

void sched_init_hart(struct hart *h)
{
    for (unsigned t = 0; t < NX_TIERS; t++) {
        list_init(&h->queue[t]);
    }
    h->armed = NX_NEVER;
}

/* ---- queues ---- */
static void enqueue(struct hart *h, struct fiber *f, bool front)
{
    unsigned t = fiber_tier(f, f->in_foreign);
    f->hart = h;
    f->status = FIBER_READY;
    if (front) {
        list_push_front(&h->queue[t], &f->queue_link);
    } else {
        list_push_back(&h->queue[t], &f->queue_link);
    }
    h->ready |= 1u << t;
}

void sched_unready(struct fiber *f)
{
    struct hart *h = f->hart;
    list_remove(&f->queue_link);
    for (unsigned t = 0; t < NX_TIERS; t++) {
        if (list_is_empty(&h->queue[t])) {
            h->ready &= ~(1u << t);
        }
    }
}

static struct fiber *dequeue(struct hart *h)
{
    if (h->ready == 0) {
        return NULL;
    }
    unsigned t = nx_ctz32(h->ready);
    struct fiber *f = list_first(&h->queue[t], struct fiber, queue_link);
    list_remove(&f->queue_link);
    if (list_is_empty(&h->queue[t])) {
        h->ready &= ~(1u << t);
    }
    return f;
}

/* An idle hart takes the best fiber that waits on a busy one. */
static struct fiber *steal(struct hart *me)
{
    struct hart *from = NULL;
    for (unsigned i = 0; i < hart_count; i++) {
        struct hart *h = &harts[i];
        if (h != me && h->ready != 0 &&
            (from == NULL || nx_ctz32(h->ready) < nx_ctz32(from->ready))) {
            from = h;
        }
    }
    return from != NULL ? dequeue(from) : NULL;
}

static bool is_idle(const struct hart *h)
{
    return h->online && h->fiber == NULL && h->ready == 0;
}

/* The hart a woken fiber goes to: where it last ran when that is idle or ours, else an idle one. */
static struct hart *place(struct fiber *f)
{
    if (is_idle(f->hart)) {
        return f->hart;
    }
    struct hart *me = this_hart();
    for (unsigned i = 0; i < hart_count; i++) {
        if (&harts[i] != me && is_idle(&harts[i])) {
            return &harts[i];
        }
    }
    return f->hart->online ? f->hart : me;
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
    enqueue(h, f, false);
    if (h->fiber == NULL) {
        if (h != this_hart()) {
            poke(h);
        }
        return;
    }
    unsigned mine = fiber_tier(f, f->in_foreign);
    /* Another hart may just be entering foreign mode, past its look at the queues. */
    unsigned theirs = fiber_tier(h->fiber, h != this_hart() || h->foreign != NULL);
    if (mine < theirs) {
        poke(h);
    } else if (fiber_tier(h->fiber, true) == NX_TIER_VOID) {
        budget_slice_void(h); /* alone it ran without a deadline, in either mode */
        if (h != this_hart()) {
            poke(h);
        }
    }
}

/* ---- switching ---- */
static uint64_t switch_out(struct hart *h, struct fiber *f)
{
    uint64_t now = arch_time();
    budget_account(h, f, now);
    f->in_foreign = h->foreign != NULL;
    if (f->state != NULL) {
        f->out_time = now;
        f->out_instr = arch_instret();
        if (h->fp_live) {
            if (arch_fp_dirty()) {
                arch_fp_save(f->state);
            }
            arch_fp_off();
            h->fp_live = 0;
        }
    }
    h->foreign = NULL;
    h->fiber = NULL;
    return now;
}

static _Noreturn void run(struct hart *h, struct fiber *f, uint64_t now)
{
    f->status = FIBER_RUNNING;
    f->hart = h;
    h->fiber = f;
    h->resched = 0;
    h->since = now;
    h->foreign = f->in_foreign ? f->state : NULL;
    space_enter(f->cell, f->space, h->index);
    if (f->state != NULL) {
        f->state->time_off += now - f->out_time;
        f->state->instr_off += arch_instret() - f->out_instr;
    }
    budget_arm(h, now);
    sched_switches++;
    unlock();
    arch_resume(h);
}

static _Noreturn void idle(struct hart *h)
{
    /* The old fiber's tables may go away while we sleep. */
    arch_root_set(nucleus_root);
    for (;;) {
        h->resched = 0;
        uint64_t start = arch_time();
        budget_arm(h, start);
        unlock();
        arch_idle();
        arch_poll_interrupts(h);
        lock();
        h->idle_ticks += arch_time() - start;
        struct fiber *f = dequeue(h);
        if (f == NULL) {
            f = steal(h);
        }
        if (f != NULL) {
            run(h, f, arch_time());
        }
    }
}

static _Noreturn void run_next(struct hart *h, uint64_t now)
{
    struct fiber *f = dequeue(h);
    if (f == NULL) {
        f = steal(h);
    }
    if (f == NULL) {
        idle(h);
    }
    run(h, f, now);
}

_Noreturn void sched_block(struct fiber *f, uint64_t watch, uint64_t deadline)
{
    struct hart *h = this_hart();
    uint64_t now = switch_out(h, f);
    f->status = FIBER_BLOCKED;
    f->watch = watch;
    if (watch != 0) {
        list_push_back(&f->cell->waiting, &f->wait_link);
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
    uint64_t now = switch_out(h, f);
    enqueue(h, f, true);
    budget_refill(to);
    run(h, to, now);
}

_Noreturn void sched_yield(struct fiber *f)
{
    struct hart *h = this_hart();
    uint64_t now = switch_out(h, f);
    enqueue(h, f, false);
    run_next(h, now);
}

_Noreturn void sched_leave(struct fiber *f)
{
    struct hart *h = this_hart();
    struct cell *c = f->cell;
    uint64_t now = switch_out(h, f);
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
    bool over = budget_over(h, f);
    unsigned mine = fiber_tier(f, h->foreign != NULL);
    unsigned best = h->ready != 0 ? nx_ctz32(h->ready) : NX_TIERS;
    if (best < mine || (over && best == mine)) {
        uint64_t now = switch_out(h, f);
        enqueue(h, f, !over);
        run_next(h, now);
    }
    budget_arm(h, arch_time());
    unlock();
    arch_resume(h);
}

_Noreturn void sched_enter(void)
{
    struct hart *h = this_hart();
    lock();
    h->online = true;
    run_next(h, arch_time());
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
        fiber_wake(f, f->sleeps ? 0 : -NX_ETIME);
    }
    if (h->fiber != NULL) {
        h->resched = 1; /* sched_reschedule looks at the budget and arms the timer again */
    } else {
        budget_arm(h, now);
    }
    unlock();
}

void sched_ipi(void)
{
    this_hart()->resched = 1;
}
