/* Fibers: make, bind, wake, kick, end.  See fiber.h; who runs when is sched.c. */
#include "fiber.h"

#include "hart.h"
#include "lend.h"
#include "page.h"
#include "period.h"
#include "pool.h"
#include "sched.h"
#include "timeline.h"
#include "timeq.h"

static struct pool fibers = POOL("fiber", struct fiber);
static struct handles fiber_handles;
uint32_t fiber_count;

struct fiber *fiber_make(struct cell *c, uint64_t pc, uint64_t sp, uint64_t arg, unsigned tier,
                         int *err)
{
    struct quota *q = c->quota;
    *err = -NX_ENOMEM;
    if (q->fibers >= q->fibers_max || !quota_charge(q, sizeof(struct fiber), 0)) {
        return NULL;
    }
    struct fiber *f = pool_alloc(&fibers);
    if (f == NULL || (f->handle = handle_make(&fiber_handles, f)) == 0) {
        if (f != NULL) {
            pool_free(&fibers, f);
        }
        quota_credit(q, sizeof(struct fiber));
        return NULL;
    }
    fiber_count++;
    q->fibers++;
    f->cell = c;
    f->host_tier = c->tier;
    f->reg[0] = pc;
    f->reg[2] = sp;
    f->reg[10] = arg;
    f->host_root = c->window.root_value[ROOT_HOST];
    f->fused = c->fused;
    f->capmask = ~0ul;
    f->status = FIBER_BLOCKED;
    f->hart = this_hart();
    list_init(&f->wait_link);
    list_init(&f->queue_link);
    list_push_back(&c->fibers, &f->cell_link);
    c->fiber_count++;
    sched_set_tier(f, tier);
    fiber_review(f);
    *err = 0;
    return f;
}

void fiber_free(struct fiber *f)
{
    struct cell *c = f->cell;
    lend_forget(f);
    period_end(f);
    timeline_forget(f);
    (void)fiber_bind(f, NULL, 0);
    c->runtime += fiber_runtime(f);
    list_remove(&f->cell_link);
    c->fiber_count--;
    handle_drop(&fiber_handles, f->handle);
    c->quota->fibers--;
    quota_credit(c->quota, sizeof(struct fiber));
    pool_free(&fibers, f);
    fiber_count--;
}

struct fiber *fiber_find(uint64_t handle)
{
    return handle_get(&fiber_handles, handle);
}

struct fiber *fiber_get(struct fiber *f, uint64_t handle)
{
    if (handle == 0) {
        return f;
    }
    struct fiber *other = fiber_find(handle);
    return other != NULL && other->cell == f->cell ? other : NULL;
}

int fiber_bind(struct fiber *f, struct space *s, uint64_t state_va)
{
    uint64_t page = 0;
    struct cell *c = f->cell;
    if (s != NULL) {
        if (state_va % NX_STATE_SIZE != 0) {
            return -NX_EINVAL;
        }
        uint64_t pa = space_translate(&c->window, state_va, NX_PROT_W);
        if (pa == 0 && space_fault(&c->window, state_va, NX_PROT_W, 0) == 0) {
            pa = space_translate(&c->window, state_va, NX_PROT_W);
        }
        if (pa == 0 || !page_known(pa)) {
            return -NX_EFAULT;
        }
        page = pa - pa % NX_PAGE_SIZE;
        page_ref(page);
        s->bound++;
        struct nx_state *state = arch_phys(pa);
        if (state != f->state) {
            state->time_off = this_hart()->since - fiber_runtime(f);
            state->instr_off = arch_instret();
        }
        f->state = state;
        f->foreign_root = s->root_value[ROOT_FOREIGN];
        f->host_root = s->root_value[ROOT_HOST];
    } else {
        f->state = NULL;
        f->in_foreign = false;
        f->foreign_root = 0;
        f->host_root = c->window.root_value[ROOT_HOST];
    }
    if (f->space != NULL) {
        f->space->bound--;
        page_unref(f->state_page);
    }
    f->space = s;
    f->state_page = page;
    fiber_review(f);
    return 0;
}

void fiber_review(struct fiber *f)
{
    f->odd = fiber_is_odd(f);
    f->odd_to_wake &= ~ODD_IN_ITSELF;
    f->odd_to_wake |= f->odd | fiber_is_struck(f) ? ODD_IN_ITSELF : 0;
}

void fiber_wait_behind(struct fiber *f)
{
    list_push_back(&f->cell->waiting, &f->wait_link);
    f->cell->sleeper->odd_to_wake |= ODD_CROWD;
}

void fiber_unlist(struct fiber *f)
{
    struct cell *c = f->cell;
    if (c->sleeper == f) {
        f->odd_to_wake &= ~ODD_CROWD;
        c->sleeper = list_entry(list_pop_front(&c->waiting), struct fiber, wait_link);
        c->sleeper->odd_to_wake |= ODD_CROWD;
    } else {
        list_remove(&f->wait_link);
    }
    if (list_is_empty(&c->waiting)) {
        c->sleeper->odd_to_wake &= ~ODD_CROWD;
    }
}

void fiber_wake(struct fiber *f, long result)
{
    fiber_unblock(f);
    f->reg[10] = (uint64_t)result;
    sched_ready(f);
}

void fiber_kick(struct fiber *f)
{
    struct hart *h = this_hart();
    if (f->status == FIBER_BLOCKED && !f->sleeps) {
        fiber_wake(f, NX_KICKED);
        return;
    }
    f->kick |= KICK_ASKED;
    if (f->status == FIBER_RUNNING && f->hart != h) {
        arch_ipi(f->hart->index);
    } else if (f->status == FIBER_READY && f->in_foreign) {
        const bool queued = !period_parked(f);
        if (queued) {
            sched_unready(f);
        }
        f->in_foreign = false;
        f->kick = 0;
        f->reg[10] = NX_LEAVE_KICK;
        if (queued) {
            sched_ready(f);
        }
    }
}
