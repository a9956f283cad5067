/* Cells: make, start, end.  See cell.h; loading an image is image.c. */
#include "cell.h"

#include "ckpt.h"
#include "event.h"
#include "fiber.h"
#include "hart.h"
#include "lineage.h"
#include "log.h"
#include "machine.h"
#include "page.h"
#include "pool.h"
#include "sched.h"
#include "watchdog.h"

#include <nx_base.h>
#include <string.h>

static struct pool cell_pool = POOL("cell", struct cell);
struct quota *nucleus_quota;
struct list cells = LIST_INIT(cells);
uint32_t cell_count;
struct cell *supervisor;

/* Memory a cell without a limit of its own leaves to the others and to the nucleus. */
#define RESERVE_PAGES 256u

struct cell *cell_make(const struct nx_manifest *man, uint32_t generation, int *err)
{
    return cell_make_by(NULL, man, generation, err);
}

/* What the supervisor makes gets its memory from the machine; what another cell makes, from its maker. */
static struct quota *make_quota(const struct nx_manifest *man, const struct cell *maker)
{
    uint64_t free = page_free_count(), pages = man->quota_pages;
    struct quota *of = maker != NULL && maker != supervisor ? maker->quota : NULL;
    if (of != NULL && pages == 0) {
        pages = (of->limit - of->used) / NX_PAGE_SIZE / 2;
    } else if (pages == 0 || (of == NULL && pages > free)) {
        pages = free > RESERVE_PAGES ? free - RESERVE_PAGES : 0;
    }
    struct quota *q = quota_make(pages * NX_PAGE_SIZE, man->quota_fibers, man->quota_spaces);
    if (q == NULL) {
        return NULL;
    }
    q->objects_max = man->quota_objects;
    if (of != NULL && !quota_part(q, of)) {
        quota_orphan(q);
        return NULL;
    }
    return q;
}

struct cell *cell_make_by(const struct cell *maker, const struct nx_manifest *man,
                          uint32_t generation, int *err)
{
    *err = -NX_ENOMEM;
    struct quota *q = make_quota(man, maker);
    if (q == NULL) {
        return NULL;
    }
    struct cell *c = pool_alloc(&cell_pool);
    if (c == NULL) {
        quota_orphan(q);
        return NULL;
    }
    cell_count++;
    c->obj = (struct object){.type = NX_T_CELL, .refs = 1, .quota = q};
    memcpy(c->name, man->name, sizeof(c->name) - 1);
    lineage_join(c, maker, generation);
    c->pledge = man->pledge & NX_PLEDGE_ALL;
    c->tier = c->own_tier = man->tier;
    energy_init(c, energy_part(man->energy, maker));
    c->fused = man->placement == NX_PLACE_FUSED;
    c->quota = q;
    list_init(&c->spaces);
    list_init(&c->fibers);
    list_init(&c->waiting);
    list_push_back(&cells, &c->link);
    int e = space_make_window(&c->window, c, man->window_gb);
    if (e != 0) {
        *err = e;
        object_unref(&c->obj);
        return NULL;
    }
    c->window.stale = HART_RECORDS; /* always */
    return c;
}

static int map_fixed_pages(struct cell *c)
{
    if (c->info == 0) { /* else a start before failed half way */
        c->info = page_alloc_zero(c->quota, 0);
    }
    if (c->info == 0) {
        return -NX_ENOMEM;
    }
    struct nx_cellinfo *info = arch_phys(c->info);
    memcpy(info->name, c->name, sizeof(info->name));
    info->generation = c->generation;
    info->harts = hart_count;
    info->timebase = machine.timebase;
    info->memory = machine.memory_end - machine.memory_base;
    info->image_end = c->image_end;
    info->window_end = c->window.high;
    info->quota = c->quota->limit / NX_PAGE_SIZE;
    info->placement = c->fused ? NX_PLACE_FUSED : NX_PLACE_ISOLATED;
    memcpy(info->bootargs, machine.bootargs, sizeof(info->bootargs));
    int e = space_page(&c->window, NX_SYSTABLE, machine.systable_page[c->fused],
                       NX_PROT_R | NX_PROT_X, PTE_SEALED);
    if (e == 0) {
        e = space_page(&c->window, NX_CELLINFO, c->info, NX_PROT_R, PTE_SEALED);
    }
    if (e == 0) {
        e = space_anon(&c->window, NX_STACK_TOP - NX_STACK_SIZE, NX_STACK_SIZE,
                       NX_PROT_R | NX_PROT_W);
    }
    return e;
}

int cell_start(struct cell *c, uint64_t arg)
{
    if (c->state != NX_CS_NEW || c->entry == 0) {
        return -NX_EINVAL;
    }
    int e = map_fixed_pages(c);
    if (e != 0) {
        return e;
    }
    ((struct nx_cellinfo *)arch_phys(c->info))->arg = arg;
    struct fiber *f = fiber_make(c, c->entry, NX_STACK_TOP, NX_CELLINFO, c->tier, &e);
    if (f == NULL) {
        return e;
    }
    if (c->fused) {
        log_print("%s.%u is fused", c->name, c->generation);
    }
    c->state = NX_CS_RUNNING;
    sched_ready(f);
    return 0;
}

void cell_attend(struct cell *c, uint32_t attend)
{
    c->attend = attend;
    list_for_each(n, &c->fibers)
    {
        fiber_review(list_entry(n, struct fiber, cell_link));
    }
}

void cell_end(struct cell *c, uint32_t why, uint64_t code, uint64_t pc, uint64_t addr)
{
    if (c->state == NX_CS_DYING || c->state == NX_CS_DEAD) {
        return;
    }
    c->state = NX_CS_DYING;
    cell_attend(c, c->attend | CELL_ENDING);
    c->end.why = why;
    c->end.code = code;
    c->end.pc = pc;
    c->end.addr = addr;
    log_print("cell %s generation %u ends: why %u code %#lx pc %#lx addr %#lx", c->name,
              c->generation, why, (unsigned long)code, (unsigned long)pc, (unsigned long)addr);
    beb_cell_dead(c);
    if (why == NX_WHY_FAULT) {
        watchdog_fault(c);
    }
    object_ref(&c->obj);
    list_for_each_safe(n, &c->fibers)
    {
        struct fiber *f = list_entry(n, struct fiber, cell_link);
        if (f->status == FIBER_RUNNING) {
            f->hart->resched = 1;
            if (f->hart != this_hart()) {
                arch_ipi(f->hart->index);
            }
            continue;
        }
        if (f->status == FIBER_READY) {
            sched_unready(f);
        } else {
            fiber_unblock(f);
        }
        fiber_free(f);
    }
    if (c->fiber_count == 0) {
        cell_reap(c);
    }
    if (c == supervisor) {
        watchdog_restart(WATCHDOG_ENDED);
    }
    object_unref(&c->obj);
}

void cell_reap(struct cell *c)
{
    for (unsigned i = 0; i < NX_SLOTS; i++) {
        cap_drop(c, i);
    }
    list_for_each_safe(n, &c->spaces)
    {
        space_end(list_entry(n, struct space, link));
    }
    space_end_window(&c->window);
    if (c->info != 0) {
        page_unref(c->info);
        c->info = 0;
    }
    c->state = NX_CS_DEAD;
    event_signal(&c->death);
    watchdog_death(c);
    if (c->unowned) {
        object_unref(&c->obj); /* the caller holds another */
    }
}

static void destroy(struct cell *c)
{
    if (c->state != NX_CS_DEAD) {
        /* Never started, or its last capability was dropped while it ran. */
        c->obj.refs = 1;
        c->unowned = true;
        cell_end(c, NX_WHY_KILLED, 0, 0, 0);
        return; /* the end of its last fiber comes back here */
    }
    list_remove(&c->link);
    energy_end(c);
    quota_orphan(c->quota);
    pool_free(&cell_pool, c);
    cell_count--;
}

/* A cell may hold the last capability to another, and so on: one after the other, not on the stack. */
void cell_destroy(struct cell *c)
{
    static struct list doomed = LIST_INIT(doomed);
    static bool busy;
    list_push_back(&doomed, &c->doom);
    if (busy) {
        return;
    }
    busy = true;
    for (struct list *n = list_pop_front(&doomed); n != NULL; n = list_pop_front(&doomed)) {
        destroy(list_entry(n, struct cell, doom));
    }
    busy = false;
}
