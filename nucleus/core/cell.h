/* cell: an image with an address space, capabilities and fibers; the unit that crashes and restarts. */
#ifndef CELL_H
#define CELL_H

#include "cap.h"
#include "energy.h"
#include "space.h"

#include <nx/manifest.h>
#include <nx_list.h>

#define CKPT_MAX 32768u

/* What a call of a cell attends to before it is worked off (call_attend). */
#define CELL_ENDING 1u /* it is DYING or DEAD */
#define CELL_ASKED 2u  /* L0 wants to hear from it */

struct cell {
    struct object obj;
    char name[32];
    char line[32]; /* whose child it is, when the supervisor did not make it: lineage.h */
    uint32_t generation;
    uint32_t state; /* enum nx_cell_state */
    uint32_t pledge;
    uint32_t tier; /* of its fibers now: its own, worse by `sunk`, or Void while it has no energy */
    uint32_t own_tier;    /* the manifest's */
    uint32_t sunk;        /* tiers its native code has lost: budget.c */
    uint64_t last_strike; /* of its native code */
    uint32_t attend;      /* CELL_*: its next call has to look at something first */
    bool fused;           /* its native code runs with the nucleus' privilege */
    struct quota *quota;
    struct energy energy;
    struct space window;
    struct list spaces; /* foreign spaces */
    struct list fibers;
    struct fiber *sleeper; /* the fiber in recv that has waited longest */
    struct list waiting;   /* the others, while there is one */
    uint32_t fiber_count;
    uint64_t pending; /* bit n: slot n has fired */
    uint64_t harts;   /* harts that ever ran it */
    uint64_t runtime; /* ticks, of ended fibers */
    /* For a ring's end that is listened at with the capability in the slot, while that is good: who listens at the other one
     * (ring.c).  A bell's short way looks at nothing else. */
    struct listener peer[NX_SLOTS];
    struct fiber *open[NX_SLOTS]; /* and the fiber there, while it may be visited (visit.h) */
    struct cap caps[NX_SLOTS];
    struct listener
        death; /* the supervisor's slot: fires at its end, and when it has sunk to Void */
    uint64_t entry, image_end;
    uint64_t info; /* physical page of struct nx_cellinfo */
    struct {
        uint32_t why; /* enum nx_why */
        uint64_t code, pc, addr;
    } end;
    bool unowned;     /* no capability is left; it frees itself when the last fiber has left */
    struct list link; /* all cells */
    struct list doom; /* without references, not destroyed yet */
};

/* The hart with this bit is going to run a fiber of this cell bound to s (NULL: none): it forgets what it was told
 * to forget before it does. */
void space_enter_stale(struct cell *c, struct space *s, uint64_t hart_bit);
static inline __attribute__((always_inline)) void space_enter(struct cell *c, struct space *s,
                                                              uint64_t me)
{
    uint64_t stale = c->window.stale;
    c->harts |= me;
    if (s != NULL) {
        s->harts |= me;
        stale |= s->stale;
    }
    if ((stale & me) != 0) {
        space_enter_stale(c, s, me);
    }
}

extern struct quota *nucleus_quota;
extern struct list cells;
extern uint32_t cell_count;
extern struct cell *supervisor; /* the first cell: nothing goes on without it */

/* A cell without image, in state NEW, with one reference; *err says why not. */
struct cell *cell_make(const struct nx_manifest *man, uint32_t generation, int *err);
/* The same, made by a cell: its lineage follows from that, lineage.h. */
struct cell *cell_make_by(const struct cell *maker, const struct nx_manifest *man,
                          uint32_t generation, int *err);
/* Give it its image and manifest from the ELF file in `image`.  What is only read of it lies in the pages
 * of `fixed`, as many as that needs, unless that is NULL. */
struct mem;
int image_manifest(const struct mem *image, uint64_t off, uint64_t size, struct nx_manifest *out);
int image_load(struct cell *c, const struct mem *image, uint64_t off, uint64_t size,
               const struct mem *fixed);
int cell_start(struct cell *c, uint64_t arg);
/* What its next call attends to: CELL_*. */
void cell_attend(struct cell *c, uint32_t attend);
/* End it: its fibers stop everywhere, everything it holds is given back, the listener hears of it.
 * When it is the calling fiber's cell, the caller must go on to sched_leave(). */
void cell_end(struct cell *c, uint32_t why, uint64_t code, uint64_t pc, uint64_t addr);
/* The last fiber of a dying cell has left its hart. */
void cell_reap(struct cell *c);
void cell_destroy(struct cell *c); /* no references left */

#endif
