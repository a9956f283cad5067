/* fiber: a thread of a cell.  When it is bound to a foreign space it can run foreign code (enter).
 *
 * The nucleus has one stack per hart and never blocks inside a call: a fiber that sleeps is nothing
 * but its saved user registers.
 */
#ifndef FIBER_H
#define FIBER_H

#include "cell.h"

#include <nx/types.h>
#include <nx_list.h>

enum fiber_state { FIBER_READY, FIBER_RUNNING, FIBER_BLOCKED, FIBER_DEAD };

#define KICK_ASKED 1u
#define KICK_MOVED 2u /* of foreign mode only: it is on another hart than its state area says */
#define KICK_LENT 4u  /* of host mode only: it runs on a loan or has lent, lend.h */

struct fiber {
    /* Offsets known to assembler: arch/riscv64/offsets.h. */
    uint64_t reg[32];       /* 0: pc, 1..31: its own (host mode) registers */
    uint64_t host_root;     /* address space in host mode */
    uint64_t foreign_root;  /* in foreign mode; 0: not bound */
    struct nx_state *state; /* state area, in the direct map; NULL: not bound */
    union {
        struct {
            uint32_t kick; /* KICK_*: leave foreign mode or recv at the next chance */
            uint32_t odd;  /* something is to be looked at when it rings or waits: fiber_review() */
        };
        uint64_t kick_or_odd;
    };
    uint32_t outranked_by; /* bits of hart->ready that outrank its foreign tier */
    uint32_t fused;        /* host mode runs with the nucleus' privilege; the cell's for ever */
    uint32_t odd_to_wake;  /* the same, or when it is woken */
    bool in_foreign;       /* when not running: where it goes on */
    bool sleeps;           /* blocked in tick SLEEP, which only the deadline ends */
    bool handed;           /* it was handed the hart since its budget was filled: has waited */

    struct cell *cell;
    uint64_t handle;
    uint32_t status;    /* enum fiber_state */
    uint32_t tier;      /* of its foreign mode, unless the cell's is worse */
    uint32_t host_tier; /* of its host mode: the cell's, or a better one it was lent */
    struct hart *hart;  /* last or current */
    struct space *space;
    uint64_t state_page; /* physical page of the state area, referenced */
    uint64_t capmask;
    uint64_t watch; /* recv mask, while it is in recv */
    uint64_t door;  /* slots at which it may be visited, while it is in recv SERVE: visit.h */
    uint64_t door_entry, door_arg; /* its handler */
    struct list wait_link;         /* in cell->waiting; the cell's sleeper is not */
    struct list
        queue_link; /* in a run queue, while FIBER_READY and not its hart's lender; of no meaning else */
    struct list cell_link; /* in cell->fibers */

    /* Sleep deadline: node of a pairing heap, timeq.c. */
    uint64_t deadline;
    struct fiber *heap_child, *heap_next, *heap_prev;
    struct hart *heap_hart; /* NULL: not in a heap */

    /* Budget (sched.c). */
    uint64_t quantum; /* ticks of an activation, by tier or declared */
    uint64_t left;    /* of this activation's */
    uint64_t granted; /* ticks in all, with what is left: fiber_runtime() */
    uint32_t strikes;
    uint32_t demotions;
    uint64_t last_strike;
    uint64_t period, budget, phase; /* declared; 0: none */
    uint64_t release;               /* the next one */
    uint64_t out_time, out_instr;   /* clocks when it was switched out */

    /* lend.c */
    struct fiber *lender, *debtor; /* on whose budget it runs, and who runs on its own; or NULL */
    uint64_t lent;                 /* what the lender had left */
    uint64_t own_left;             /* of its own budget */
};

struct fiber *fiber_make(struct cell *c, uint64_t pc, uint64_t sp, uint64_t arg, unsigned tier,
                         int *err);
/* Free one that runs nowhere. */
void fiber_free(struct fiber *f);
/* Of whatever cell; NULL: it is gone. */
struct fiber *fiber_find(uint64_t handle);
/* handle 0: f itself; only fibers of f's cell. */
struct fiber *fiber_get(struct fiber *f, uint64_t handle);
/* Bind to a foreign space and state area, or unbind (space NULL). */
int fiber_bind(struct fiber *f, struct space *s, uint64_t state_va);
/* A blocked fiber becomes ready; its call answers `result`. */
void fiber_wake(struct fiber *f, long result);
void fiber_kick(struct fiber *f);
/* The short ways of a bell and of a wait (handover.c) are for fibers of which nothing special is known: `odd` says that
 * there is something when it rings or waits, `odd_to_wake` when it is rung for.  Called after everything that fiber_is_odd()
 * and fiber_is_struck() look at has changed; while it says too much they are not taken, and that is all. */
#define ODD_IN_ITSELF 1u
#define ODD_TIMED 2u /* it waits with a deadline: timeq.c */
#define ODD_CROWD 4u /* others of its cell wait behind it */
#define ODD_OPEN 8u  /* it may be visited */
void fiber_review(struct fiber *f);
static inline bool fiber_is_odd(const struct fiber *f)
{
    const struct cell *c = f->cell;
    return c->attend != 0 || (c->pledge & NX_PLEDGE_IPC) == 0 || f->capmask != ~0ul ||
           f->state != NULL || (f->kick & KICK_LENT) != 0 || f->period != 0;
}
/* What budget_waited() looks at. */
static inline bool fiber_is_struck(const struct fiber *f)
{
    return (f->demotions | f->strikes | f->cell->sunk) != 0;
}
/* Into recv's list / out of recv's or sleep's lists, as it stops being blocked. */
void fiber_wait_behind(struct fiber *f);
void fiber_unlist(struct fiber *f);
static inline void fiber_wait(struct fiber *f, uint64_t watch)
{
    f->watch = watch;
    if (__builtin_expect(f->cell->sleeper != NULL, 0)) {
        fiber_wait_behind(f);
    } else {
        f->cell->sleeper = f;
    }
}
void timeq_remove(struct fiber *f);
void visit_shut(struct fiber *f);
static inline void fiber_unblock(struct fiber *f)
{
    if (__builtin_expect(f->door != 0, 0)) {
        visit_shut(f);
    }
    if (f->heap_hart != NULL) {
        timeq_remove(f);
    }
    if (f->cell->sleeper == f && list_is_empty(&f->cell->waiting)) {
        f->cell->sleeper = NULL;
    } else if (f->cell->sleeper == f || !list_is_empty(&f->wait_link)) {
        fiber_unlist(f);
    }
    f->watch = 0;
    f->sleeps = false;
}
/* Ticks it has run, up to when it was accounted last: what it was granted less what is left of that, so that there
 * is one number to change when it has run. */
static inline uint64_t fiber_runtime(const struct fiber *f)
{
    return f->granted - f->left;
}
static inline void fiber_grant(struct fiber *f, uint64_t left)
{
    f->granted += left - f->left;
    f->left = left;
}
extern uint32_t fiber_count;

static inline unsigned fiber_tier(const struct fiber *f, bool foreign)
{
    unsigned host = f->host_tier;
    return foreign && f->tier > host ? f->tier : host;
}

#endif
