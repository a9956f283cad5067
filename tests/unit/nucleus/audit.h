/* audit.h - what must hold between any two steps of the nucleus, whatever happened before.
 *
 *   audit_pages  every frame has as many references as entries and objects that hold it; roots that
 *                share tables agree; the counters say what there is
 *   audit_sched  every fiber is in the queue, list or heap that its state says, and nowhere else; the
 *                timer of a hart fires before anything of it is due
 *   audit_tlb    no hart still translates by an entry that is gone
 *
 * Objects are found through cells: a test that holds more than a cell confuses audit_pages.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include "nucleus_test.h"

struct audit {
    uint32_t *refs;         /* by frame number */
    const void *seen[4096]; /* objects counted already */
    unsigned seen_count;
    uint64_t tables, resident;
    uint32_t cells, fibers, spaces, mems, rings, events, caps;
    uint64_t roots[512];
    unsigned root_count;
};

static inline void audit_ref(struct audit *a, uint64_t pa)
{
    uint64_t i = (pa - machine.memory_base) / PAGE;
    if (pa >= machine.memory_base && pa < machine.memory_end) {
        a->refs[i]++;
    }
}

static inline void audit_table(struct audit *a, const struct space *s, uint64_t table,
                               unsigned level)
{
    const pte_t *t = arch_phys(table);
    audit_ref(a, table);
    a->tables++;
    for (unsigned i = 0; i < ARCH_PT_ENTRIES; i++) {
        if (level > 0 && pte_valid(t[i])) {
            assert_false(pte_leaf(t[i]));
            audit_table(a, s, pte_pa(t[i]), level - 1);
        } else if (level == 0 && pte_has_page(t[i])) {
            audit_ref(a, pte_pa(t[i]));
            a->resident++;
            if (pte_valid(t[i])) {
                assert_true((t[i] & PTE_U) == (s->fused ? 0 : PTE_U) && (t[i] & PTE_G) == 0);
                /* Private pages that others use too are not writable in place, unless the cell
                 * shares its own; a sealed one is never. */
                assert_true(!pte_is_sealed(t[i]) || (t[i] & PTE_W) == 0);
                assert_true((t[i] & PTE_SEALED) != PTE_COW || (t[i] & PTE_W) == 0);
            }
        } else if (t[i] != 0) {
            assert_true(pte_is_zero(t[i]));
            assert_true((t[i] >> 6) == 0);
        }
    }
}

static inline void audit_space(struct audit *a, const struct space *s)
{
    bool window = s->handle == 0;
    const pte_t *host_t = arch_phys(s->root[ROOT_HOST]);
    const pte_t *foreign_t = s->roots == 2 ? arch_phys(s->root[ROOT_FOREIGN]) : NULL;
    const pte_t *window_t = arch_phys(s->cell->window.root[ROOT_HOST]);
    unsigned first = LEVEL_INDEX(s->cell->window.low, ARCH_PT_LEVELS - 1);
    unsigned last = LEVEL_INDEX(s->cell->window.high - 1, ARCH_PT_LEVELS - 1);
    a->resident = 0;
    assert_int_equal(s->roots, window || s->cell->fused ? 1 : 2);
    assert_int_equal(s->fused, window && s->cell->fused);
    assert_true(s->roots == 2 || window || s->root_value[ROOT_FOREIGN] == s->root_value[ROOT_HOST]);
    for (unsigned r = 0; r < s->roots; r++) {
        audit_ref(a, s->root[r]);
        a->tables++;
        assert_int_equal(s->root_value[r], arch_root(s->root[r], s->asid[r]));
        a->roots[a->root_count++] = s->root_value[r];
    }
    for (unsigned i = 0; i < ARCH_PT_ENTRIES; i++) {
        bool in_window = i >= first && i <= last;
        if (i >= ARCH_PT_ENTRIES / 2 && !in_window) {
            const pte_t *nucleus = arch_phys((nucleus_root << 12) & 0x00fffffffffff000ul);
            assert_true(host_t[i] == nucleus[i]);
            assert_true(foreign_t == NULL || foreign_t[i] == nucleus[i]);
        } else if (in_window) {
            assert_true(host_t[i] == window_t[i] && (foreign_t == NULL || foreign_t[i] == 0));
        } else {
            assert_true(window ? host_t[i] == 0 : foreign_t == NULL || host_t[i] == foreign_t[i]);
        }
        if ((window ? in_window : i < ARCH_PT_ENTRIES / 2) && host_t[i] != 0) {
            if (pte_valid(host_t[i])) {
                audit_table(a, s, pte_pa(host_t[i]), ARCH_PT_LEVELS - 2);
            } else {
                assert_true(pte_is_zero(host_t[i]));
            }
        }
    }
    assert_int_equal(a->resident, s->resident);
}

static inline void audit_object(struct audit *a, struct object *o)
{
    for (unsigned i = 0; i < a->seen_count; i++) {
        if (a->seen[i] == o) {
            return;
        }
    }
    assert_true(a->seen_count < 4096);
    a->seen[a->seen_count++] = o;
    if (o->type == NX_T_SHELF) {
        const struct shelf *s = (const struct shelf *)o;
        for (unsigned i = 0; i < NX_SHELF_PLACES; i++) {
            if (s->cap[i].obj != NULL) {
                a->caps++;
                assert_true(s->cap[i].obj->type == NX_T_MEM || s->cap[i].obj->type == NX_T_RING);
                audit_object(a, s->cap[i].obj);
            }
        }
    }
    if (o->type == NX_T_RING) {
        a->rings++;
        o = &((struct ring *)o)->mem->obj;
        a->seen[a->seen_count++] = o;
    }
    if (o->type == NX_T_MEM || o->type == NX_T_DEVMEM) {
        const struct mem *m = (const struct mem *)o;
        a->mems++;
        for (uint64_t i = 0; i < m->pages && m->pages < 1u << 20; i++) {
            audit_ref(a, mem_page(m, i));
        }
        for (unsigned i = 0; i < 8; i++) {
            if (m->lists[i] != 0) {
                audit_ref(a, m->lists[i]);
            }
        }
    } else if (o->type == NX_T_EVENT || o->type == NX_T_IRQ) {
        a->events++;
    }
}

static inline void audit_cell(struct audit *a, struct cell *c)
{
    unsigned n = 0, listed = 0;
    a->cells++;
    if (c->window.root[ROOT_HOST] != 0) {
        audit_space(a, &c->window);
    }
    list_for_each(l, &c->spaces)
    {
        struct space *s = list_entry(l, struct space, link);
        unsigned bound = 0;
        assert_ptr_equal(s->cell, c);
        audit_space(a, s);
        list_for_each(k, &c->fibers)
        {
            bound += list_entry(k, struct fiber, cell_link)->space == s;
        }
        assert_int_equal(s->bound, bound);
        a->spaces++;
        n++;
    }
    assert_int_equal(c->quota->spaces, n);
    list_for_each(l, &c->fibers)
    {
        const struct fiber *f = list_entry(l, struct fiber, cell_link);
        listed++;
        assert_ptr_equal(f->cell, c);
        assert_int_equal(f->space != NULL, f->state != NULL);
        if (f->state_page != 0) {
            audit_ref(a, f->state_page);
            assert_int_equal(arch_phys_of(f->state) & ~(PAGE - 1), f->state_page);
        }
    }
    assert_int_equal(c->fiber_count, listed);
    assert_int_equal(c->quota->fibers, listed);
    a->fibers += listed;
    if (c->info != 0) {
        audit_ref(a, c->info);
    }
    for (unsigned i = 0; i < NX_SLOTS; i++) {
        if (c->caps[i].obj != NULL) {
            a->caps++;
            assert_true(c->caps[i].epoch <= c->caps[i].obj->epoch);
            assert_true(c->caps[i].obj->refs > 0 && c->caps[i].obj->refs < 10000);
            audit_object(a, c->caps[i].obj);
        }
    }
}

static inline void audit_pages(void)
{
    static struct audit a;
    uint64_t frames = (machine.memory_end - machine.memory_base) / PAGE, unused = 0, nucleus = 0;
    memset(&a, 0, sizeof(a));
    a.refs = calloc(frames, sizeof(*a.refs));
    list_for_each(l, &cells)
    {
        audit_cell(&a, list_entry(l, struct cell, link));
    }
    for (uint64_t i = 0; i < frames; i++) {
        uint32_t have = page_refs(machine.memory_base + i * PAGE);
        if (have == UINT32_MAX) {
            continue; /* not the allocator's */
        }
        unused += have == 0;
        if (have == 1 && a.refs[i] == 0) {
            nucleus++; /* pools, handle tables, checkpoints */
        } else if (have != a.refs[i]) {
            fail_msg("frame %lu has %u references, and %u are known", (unsigned long)i, have,
                     a.refs[i]);
        }
    }
    free(a.refs);
    assert_int_equal(unused, page_free_count());
    assert_int_equal(nucleus, nucleus_quota->used / PAGE);
    assert_int_equal(a.tables, table_count);
    assert_int_equal(a.cells, cell_count);
    assert_int_equal(a.fibers, fiber_count);
    assert_int_equal(a.spaces, space_count);
    assert_int_equal(a.caps, cap_count);
    assert_int_equal(a.mems, mem_count);
    assert_int_equal(a.rings, ring_count);
    assert_int_equal(a.events, event_count);
}

/* ---- scheduling ---- */
static inline unsigned audit_heap(const struct fiber *f, const struct hart *h, uint64_t least)
{
    unsigned n = 0;
    for (; f != NULL; f = f->heap_next) {
        assert_ptr_equal(f->heap_hart, h);
        assert_true(f->status == FIBER_BLOCKED || period_parked(f));
        assert_true(f->deadline >= least);
        n += 1 + audit_heap(f->heap_child, h, f->deadline);
    }
    return n;
}

static inline bool soon_of(const struct hart *h)
{
    return h->resched != 0 || host_interrupt_pending(h->index);
}

static inline void audit_hart(const struct hart *h, unsigned *queued, unsigned *running,
                              unsigned *asleep)
{
    const struct fiber *f = h->fiber;
    for (unsigned t = 0; t < NX_TIERS; t++) {
        assert_int_equal(h->ready >> t & 1, !list_is_empty(&h->queue[t]));
        list_for_each(l, &h->queue[t])
        {
            const struct fiber *q = list_entry(l, struct fiber, queue_link);
            assert_int_equal(q->status, FIBER_READY);
            assert_ptr_equal(q->hart, h);
            assert_int_equal(fiber_tier(q, q->in_foreign), t);
            ++*queued;
        }
    }
    if (h->lender != NULL) {
        const struct fiber *q = h->lender;
        assert_int_equal(q->status, FIBER_READY);
        assert_ptr_equal(q->hart, h);
        assert_true(f != NULL && f->state == NULL && q->state == NULL && !q->in_foreign);
        assert_true(f->cell->tier <= q->cell->tier || soon_of(h));
        assert_true(h->ready == 0 || nx_ctz32(h->ready) >= q->cell->tier || soon_of(h));
        ++*queued;
    }
    *asleep += audit_heap(h->sleepers, h, 0);
    assert_int_equal(host.hart[h->index].deadline, h->armed);
    bool soon = soon_of(h);
    if (h->sleepers != NULL && !soon) {
        assert_true(h->armed <= h->sleepers->deadline);
    }
    if (f == NULL) {
        assert_null(h->foreign);
        assert_true(h->ready == 0 || soon);
        return;
    }
    ++*running;
    assert_int_equal(f->status, FIBER_RUNNING);
    assert_ptr_equal(f->hart, h);
    assert_true(h->foreign == NULL || h->foreign == f->state);
    assert_true((f->cell->harts >> h->index & 1) != 0);
    assert_true(f->space == NULL || (f->space->harts >> h->index & 1) != 0);
    /* Whoever waits here gets the hart at the latest when this one's budget is used up ... */
    if ((h->ready != 0 || h->lender != NULL) && !soon) {
        assert_true(h->armed != NX_NEVER);
        assert_true(h->armed <= host.time + f->left);
        /* ... and at once when its tier is the better one. */
        assert_true(h->ready == 0 || nx_ctz32(h->ready) >= fiber_tier(f, h->foreign != NULL));
    }
    /* Other tiers than Void have a budget whether somebody waits or not. */
    if (NX_MAX(f->tier, f->cell->tier) != NX_TIER_VOID && !soon) {
        assert_true(h->armed <= h->since + f->left);
    }
}

/* What a bell's short way goes by is what its long way would find. */
static inline void audit_peers(const struct cell *c)
{
    for (unsigned slot = 0; slot < NX_SLOTS; slot++) {
        const struct listener *peer = &c->peer[slot];
        if (peer->cell != NULL) {
            const struct cap *cap = cap_live(c->caps, ~0ul, slot);
            assert_non_null(cap);
            assert_int_equal(cap->obj->type, NX_T_RING);
            assert_true((cap->rights & (NX_R_SEND | NX_R_RECV)) != 0);
            const struct listener *to = ring_peer((const struct ring *)cap->obj, cap->rights);
            assert_ptr_equal(peer->cell, to->cell);
            assert_int_equal(peer->slot, to->slot);
        }
        const struct fiber *open = c->open[slot];
        if (open != NULL) {
            assert_ptr_equal(open->cell, peer->cell);
            assert_true((open->door >> peer->slot & 1) != 0);
        }
    }
}

static inline void audit_sched(void)
{
    unsigned queued = 0, running = 0, asleep = 0;
    for (unsigned i = 0; i < hart_count; i++) {
        audit_hart(&harts[i], &queued, &running, &asleep);
    }
    list_for_each(lc, &cells)
    {
        struct cell *c = list_entry(lc, struct cell, link);
        unsigned waiting = 0;
        audit_peers(c);
        assert_true(c->sleeper != NULL || list_is_empty(&c->waiting));
        if (c->sleeper != NULL) {
            assert_int_equal(c->sleeper->status, FIBER_BLOCKED);
            assert_ptr_equal(c->sleeper->cell, c);
            assert_true((c->sleeper->watch & c->pending) == 0);
            assert_true(list_is_empty(&c->sleeper->wait_link));
        }
        list_for_each(l, &c->waiting)
        {
            const struct fiber *f = list_entry(l, struct fiber, wait_link);
            assert_int_equal(f->status, FIBER_BLOCKED);
            assert_ptr_equal(f->cell, c);
            assert_true((f->watch & c->pending) == 0);
            waiting++;
        }
        list_for_each(l, &c->fibers)
        {
            const struct fiber *f = list_entry(l, struct fiber, cell_link);
            queued -= f->status == FIBER_READY && !period_parked(f);
            running -= f->status == FIBER_RUNNING;
            asleep -= f->heap_hart != NULL;
            waiting -= !list_is_empty(&f->wait_link);
            assert_true(f->odd || !fiber_is_odd(f));
            assert_true((f->odd_to_wake & ODD_IN_ITSELF) != 0 ||
                        !(fiber_is_odd(f) || fiber_is_struck(f)));
            assert_int_equal((f->odd_to_wake & ODD_TIMED) != 0, f->heap_hart != NULL);
            assert_int_equal((f->odd_to_wake & ODD_CROWD) != 0,
                             c->sleeper == f && !list_is_empty(&c->waiting));
            assert_int_equal((f->odd_to_wake & ODD_OPEN) != 0, f->door != 0);
            assert_true(f->door == 0 || (c->sleeper == f && c->fused && f->door == f->watch &&
                                         (c->window.stale & f->hart->bit & ~HART_RECORDS) == 0));
            assert_true(f->tier < NX_TIERS && f->tier >= c->own_tier);
            assert_true(f->strikes < 3);
            assert_true(f->host_tier == c->tier || (f->lender != NULL && f->host_tier < c->tier));
            assert_int_equal((f->kick & KICK_LENT) != 0, f->lender != NULL || f->debtor != NULL);
            assert_true(f->lender == NULL ||
                        (f->lender->debtor == f && f->left <= f->lent && f->quantum <= f->lent));
            assert_true(f->debtor == NULL || f->debtor->lender == f);
            assert_int_equal(f->outranked_by, (1u << NX_MAX(f->tier, c->tier)) - 1);
            if (f->status == FIBER_RUNNING) {
                assert_ptr_equal(f->hart->fiber, f);
            } else if (f->in_foreign) {
                assert_int_equal(f->status, FIBER_READY);
                assert_non_null(f->state);
            }
        }
        assert_int_equal(waiting, 0);
        assert_true(c->state != NX_CS_NEW || c->fiber_count == 0);
        assert_true(c->state != NX_CS_DEAD || c->fiber_count == 0);
    }
    assert_int_equal(queued, 0);
    assert_int_equal(running, 0);
    assert_int_equal(asleep, 0);
}

/* A hart may remember too much of a space while it does not run it: then it is marked. */
static inline void audit_tlb_of(const struct space *s, const struct space *tables)
{
    for (unsigned i = 0; i < hart_count; i++) {
        const struct fiber *f = harts[i].fiber;
        bool runs = f != NULL && (s->handle == 0 ? f->cell == s->cell : f->space == s);
        if ((s->stale >> i & 1) != 0) {
            assert_false(runs);
            continue;
        }
        for (unsigned r = 0; r < tables->roots; r++) {
            assert_int_equal(host_tlb_stale(i, tables->root_value[r], s->low, s->high), 0);
        }
    }
}

static inline void audit_tlb(void)
{
    list_for_each(l, &cells)
    {
        struct cell *c = list_entry(l, struct cell, link);
        if (c->window.root[ROOT_HOST] == 0) {
            continue;
        }
        audit_tlb_of(&c->window, &c->window);
        list_for_each(k, &c->spaces)
        {
            const struct space *s = list_entry(k, struct space, link);
            audit_tlb_of(s, s);
            audit_tlb_of(&c->window, s);
        }
    }
}

static inline void audit(void)
{
    audit_pages();
    audit_sched();
    audit_tlb();
}

#endif
