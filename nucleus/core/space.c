/* Address spaces: making and ending them, and the ranges map changes.  See space.h; the tables are
 * table.c, faults are space_fault.c.
 */
#include "space.h"

#include "cell.h"
#include "fiber.h"
#include "hart.h"
#include "page.h"
#include "pool.h"
#include "timeline.h"
#include "visit.h"

#include <nx_base.h>
#include <string.h>

uint64_t nucleus_root;
uint32_t space_count;
static struct pool spaces = POOL("space", struct space);
static struct handles space_handles;

/* ---- address space numbers: 0 is the nucleus' own.  One that was given back is taken again only after
 * every hart has forgotten everything, which happens when no other is left. ---- */
#define ASIDS_MAX 8192u
static uint64_t asid_used[ASIDS_MAX / 64];
static uint64_t asid_worn[ASIDS_MAX / 64]; /* given back since the last fence of everything */
static unsigned asid_next = 1;

static unsigned asid_find(unsigned count)
{
    for (unsigned tries = 1; tries < count; tries++) {
        unsigned a = asid_next < count ? asid_next : 1;
        asid_next = a + 1;
        if (((asid_used[a / 64] | asid_worn[a / 64]) >> a % 64 & 1) == 0) {
            asid_used[a / 64] |= 1ul << a % 64;
            return a;
        }
    }
    return ASIDS_MAX;
}

static unsigned asid_take(void)
{
    unsigned count = NX_MIN(arch_asids(), ASIDS_MAX);
    if (count <= 1) {
        return 0; /* none: arch_root_set fences on every switch */
    }
    unsigned a = asid_find(count);
    if (a == ASIDS_MAX) {
        arch_tlb_all();
        arch_tlb_remote(~0ul, 0, 0, 0, true);
        memset(asid_worn, 0, sizeof(asid_worn));
        a = asid_find(count);
    }
    return a;
}

static void asid_give(unsigned a)
{
    if (a != 0) {
        asid_used[a / 64] &= ~(1ul << a % 64);
        asid_worn[a / 64] |= 1ul << a % 64;
    }
}

/* ---- roots ---- */
static struct {
    unsigned index;
    pte_t entry;
} nucleus_entries[ARCH_PT_ENTRIES / 2];
static unsigned nucleus_entry_count;

void space_init(uint64_t root_table)
{
    nucleus_root = arch_root(root_table, 0);
    pte_t *t = arch_phys(root_table);
    nucleus_entry_count = 0;
    for (unsigned i = ARCH_PT_ENTRIES / 2; i < ARCH_PT_ENTRIES; i++) {
        if (t[i] != 0) {
            nucleus_entries[nucleus_entry_count].index = i;
            nucleus_entries[nucleus_entry_count++].entry = t[i];
        }
    }
}

static bool root_make(struct space *s, unsigned which)
{
    s->asid[which] = asid_take();
    if (s->asid[which] == ASIDS_MAX) {
        s->asid[which] = 0;
        return false;
    }
    s->root[which] = table_new(s, true);
    if (s->root[which] == 0) {
        return false;
    }
    pte_t *t = arch_phys(s->root[which]);
    for (unsigned i = 0; i < nucleus_entry_count; i++) {
        t[nucleus_entries[i].index] = nucleus_entries[i].entry;
    }
    s->root_value[which] = arch_root(s->root[which], s->asid[which]);
    return true;
}

int space_make_window(struct space *s, struct cell *c, unsigned gib)
{
    *s = (struct space){.cell = c,
                        .low = NX_WINDOW,
                        .high = NX_WINDOW + ((uint64_t)gib << 30),
                        .roots = 1,
                        .fused = c->fused};
    if (!root_make(s, ROOT_HOST)) {
        return -NX_ENOMEM;
    }
    pte_t *t = arch_phys(s->root[ROOT_HOST]);
    for (unsigned i = 0; i < gib; i++) {
        uint64_t pa = table_new(s, true);
        if (pa == 0) {
            return -NX_ENOMEM;
        }
        t[LEVEL_INDEX(NX_WINDOW, ARCH_PT_LEVELS - 1) + i] = pte_table(pa);
    }
    return 0;
}

void space_end_window(struct space *s)
{
    asid_give(s->asid[ROOT_HOST]);
    if (s->root[ROOT_HOST] == 0) {
        return;
    }
    table_free_window(s);
    space_flush(s, s->low, s->high - s->low);
    s->root[ROOT_HOST] = 0;
}

struct space *space_make(struct cell *c)
{
    struct quota *q = c->quota;
    if (q->spaces >= q->spaces_max || !quota_charge(q, sizeof(struct space), 0)) {
        return NULL;
    }
    struct space *s = pool_alloc(&spaces);
    if (s == NULL) {
        quota_credit(q, sizeof(struct space));
        return NULL;
    }
    space_count++;
    q->spaces++;
    s->cell = c;
    s->low = NX_PAGE_SIZE;
    s->high = NX_LOWER_END;
    s->roots = c->fused ? 1 : 2;
    if (!root_make(s, ROOT_HOST) || (s->roots == 2 && !root_make(s, ROOT_FOREIGN)) ||
        (s->handle = handle_make(&space_handles, s)) == 0) {
        space_end(s);
        return NULL;
    }
    if (s->roots == 1) {
        s->root_value[ROOT_FOREIGN] = s->root_value[ROOT_HOST];
    }
    const pte_t *from = arch_phys(c->window.root[ROOT_HOST]);
    pte_t *to = arch_phys(s->root[ROOT_HOST]);
    for (uint64_t va = c->window.low; va < c->window.high; va += LEVEL_SIZE(ARCH_PT_LEVELS - 1)) {
        to[LEVEL_INDEX(va, ARCH_PT_LEVELS - 1)] = from[LEVEL_INDEX(va, ARCH_PT_LEVELS - 1)];
    }
    list_push_back(&c->spaces, &s->link);
    return s;
}

void space_end(struct space *s)
{
    struct quota *q = s->cell->quota;
    if (s->root[ROOT_HOST] != 0) {
        table_free_lower(s);
    }
    asid_give(s->asid[ROOT_HOST]);
    asid_give(s->asid[ROOT_FOREIGN]);
    if (s->handle != 0) {
        handle_drop(&space_handles, s->handle);
        list_remove(&s->link);
    }
    pool_free(&spaces, s);
    space_count--;
    q->spaces--;
    quota_credit(q, sizeof(struct space));
}

struct space *space_get(struct cell *c, uint64_t handle)
{
    if (handle == 0) {
        return &c->window;
    }
    struct space *s = handle_get(&space_handles, handle);
    return s != NULL && s->cell == c ? s : NULL;
}

/* The harts, other than this one, that run the space now: they need an interrupt.  Others that ran it
 * before are marked. */
static uint64_t others_running(struct space *s)
{
    bool window = s->handle == 0;
    uint64_t ran = (window ? s->cell->harts : s->harts) & ~(1ul << this_hart()->index);
    uint64_t now = 0;
    for (unsigned i = 0; ran != 0 && i < hart_count; i++) {
        const struct fiber *f = harts[i].fiber;
        if ((f != NULL && (window ? f->cell == s->cell : f->space == s)) ||
            (window && visit_of(&harts[i]) == s->cell)) {
            now |= ran & 1ul << i;
        }
    }
    s->stale |= ran & ~now;
    if (window) {
        visit_stale(s->cell);
    }
    return now;
}

void space_flush(struct space *s, uint64_t va, uint64_t len)
{
    bool window = s->handle == 0;
    bool few = len <= 16 * NX_PAGE_SIZE;
    uint64_t others = others_running(s);
    for (unsigned r = 0; r < s->roots; r++) {
        if (!few) {
            window ? arch_tlb_all() : arch_tlb_asid(s->asid[r]);
        }
        for (uint64_t p = va; few && p < va + len; p += NX_PAGE_SIZE) {
            window ? arch_tlb_page_all(p) : arch_tlb_page(p, s->asid[r]);
        }
        if (others != 0) {
            /* The window's tables are in the roots of all the cell's foreign spaces too. */
            arch_tlb_remote(others, va, few ? len : 0, s->asid[r], window);
        }
    }
}

void space_fence_code(struct space *s)
{
    uint64_t others = others_running(s);
    arch_fence_code();
    if (others != 0) {
        arch_fence_code_remote(others);
    }
}

void space_enter_stale(struct cell *c, struct space *s, uint64_t me)
{
    if ((me & HART_RECORDS) != 0) {
        timeline_note(this_hart(), this_hart()->fiber);
        me &= ~HART_RECORDS;
        if (((c->window.stale | (s != NULL ? s->stale : 0)) & me) == 0) {
            return;
        }
    }
    if ((c->window.stale & me) != 0) {
        c->window.stale &= ~me;
        arch_tlb_all();
    }
    if (s != NULL && (s->stale & me) != 0) {
        s->stale &= ~me;
        for (unsigned r = 0; r < s->roots; r++) {
            arch_tlb_asid(s->asid[r]);
        }
    }
    arch_fence_code();
}

bool space_range_ok(const struct space *s, uint64_t va, uint64_t len)
{
    return ((va | len) & (NX_PAGE_SIZE - 1)) == 0 && len != 0 && va >= s->low && va < s->high &&
           len <= s->high - va;
}

/* ---- demand-zero ---- */
static int mark_level(struct space *s, pte_t *t, unsigned level, uint64_t va, uint64_t end,
                      pte_t mark)
{
    while (va < end) {
        unsigned i = LEVEL_INDEX(va, level);
        uint64_t next = ALIGN_DOWN(va, LEVEL_SIZE(level)) + LEVEL_SIZE(level);
        uint64_t stop = next < end && next != 0 ? next : end;
        if (level == 0) {
            t[i] = mark;
        } else if (stop - va == LEVEL_SIZE(level) && !pte_valid(t[i])) {
            if (level == ARCH_PT_LEVELS - 1) {
                table_root_store(s, i, mark);
            } else {
                t[i] = mark;
            }
        } else {
            if (!pte_valid(t[i]) && table_expand(s, &t[i], level, i) != 0) {
                return -NX_ENOMEM;
            }
            int e = mark_level(s, table_at(t[i]), level - 1, va, stop, mark);
            if (e != 0) {
                return e;
            }
        }
        va = stop;
    }
    return 0;
}

int space_anon(struct space *s, uint64_t va, uint64_t len, unsigned prot)
{
    int e = space_unmap(s, va, len);
    return e != 0 ? e
                  : mark_level(s, arch_phys(s->root[ROOT_HOST]), ARCH_PT_LEVELS - 1, va, va + len,
                               pte_zero(prot));
}

int space_unmap(struct space *s, uint64_t va, uint64_t len)
{
    bool flush = false;
    if (table_split(s, va) != 0 || table_split(s, va + len) != 0) {
        return -NX_ENOMEM;
    }
    table_clear(s, va, len, &flush);
    if (flush) {
        space_flush(s, va, len);
    }
    return 0;
}

int space_page(struct space *s, uint64_t va, uint64_t pa, unsigned prot, pte_t soft)
{
    pte_t *e = table_entry(s, va, true);
    if (e == NULL) {
        return -NX_ENOMEM;
    }
    page_ref(pa); /* before the old page goes: it may be the same one */
    if (pte_has_page(*e)) {
        bool flush = pte_valid(*e);
        page_unref(pte_pa(*e));
        s->resident--;
        *e = 0;
        if (flush) {
            space_flush(s, va, NX_PAGE_SIZE);
        }
    }
    s->resident++;
    arch_publish();
    *e = pte_page(pa, prot, soft, s->fused);
    return 0;
}

/* ---- protect ---- */
static pte_t protect_entry(const struct space *s, pte_t p, unsigned prot, bool *flush)
{
    if (pte_is_zero(p)) {
        return pte_zero(prot);
    }
    if (!pte_has_page(p)) {
        return p;
    }
    pte_t soft = p & PTE_SEALED;
    if ((soft & PTE_SHARED) != 0) {
        /* Access is all that changes. */
    } else if ((prot & NX_PROT_W) != 0) {
        /* A private page becomes writable by a fault, which copies it if it has other users. */
        soft |= PTE_COW;
        prot = (prot & ~NX_PROT_W) | NX_PROT_R;
    } else {
        soft &= ~PTE_COW;
    }
    *flush |= pte_valid(p);
    return pte_page(pte_pa(p), prot, soft, s->fused);
}

static int protect_level(struct space *s, pte_t *t, unsigned level, uint64_t va, uint64_t end,
                         unsigned prot, bool *flush)
{
    while (va < end) {
        unsigned i = LEVEL_INDEX(va, level);
        uint64_t next = ALIGN_DOWN(va, LEVEL_SIZE(level)) + LEVEL_SIZE(level);
        uint64_t stop = next < end && next != 0 ? next : end;
        pte_t p = t[i];
        if (level == 0) {
            if ((prot & NX_PROT_W) != 0 && pte_has_page(p) && pte_is_sealed(p)) {
                return -NX_EPERM;
            }
            t[i] = protect_entry(s, p, prot, flush);
        } else if (p != 0) {
            if (!pte_valid(p) && stop - va == LEVEL_SIZE(level)) {
                if (level == ARCH_PT_LEVELS - 1) {
                    table_root_store(s, i, pte_zero(prot));
                } else {
                    t[i] = pte_zero(prot);
                }
            } else {
                if (!pte_valid(p) && table_expand(s, &t[i], level, i) != 0) {
                    return -NX_ENOMEM;
                }
                int e = protect_level(s, table_at(t[i]), level - 1, va, stop, prot, flush);
                if (e != 0) {
                    return e;
                }
            }
        }
        va = stop;
    }
    return 0;
}

int space_protect(struct space *s, uint64_t va, uint64_t len, unsigned prot)
{
    bool flush = false;
    int e = protect_level(s, arch_phys(s->root[ROOT_HOST]), ARCH_PT_LEVELS - 1, va, va + len, prot,
                          &flush);
    if (flush) {
        space_flush(s, va, len);
    }
    return e;
}

/* ---- clone ---- */
static int clone_level(struct space *dst, pte_t *to, pte_t *from, unsigned level, bool *flush)
{
    for (unsigned i = 0; i < ARCH_PT_ENTRIES; i++) {
        pte_t p = from[i];
        to[i] = 0;
        if (p == 0) {
            continue;
        }
        if (level > 0 && pte_valid(p)) {
            uint64_t pa = table_new(dst, false);
            if (pa == 0) {
                memset(&to[i], 0, (ARCH_PT_ENTRIES - i) * sizeof(pte_t));
                return -NX_ENOMEM;
            }
            to[i] = pte_table(pa);
            int e = clone_level(dst, arch_phys(pa), table_at(p), level - 1, flush);
            if (e != 0) {
                memset(&to[i + 1], 0, (ARCH_PT_ENTRIES - i - 1) * sizeof(pte_t));
                return e;
            }
            continue;
        }
        if (level == 0 && pte_has_page(p)) {
            if ((p & PTE_SHARED) == 0 && (p & PTE_W) != 0 && pte_valid(p)) {
                p = (p & ~PTE_W) | PTE_COW;
                from[i] = p;
                *flush = true;
            }
            page_ref(pte_pa(p));
            dst->resident++;
        }
        to[i] = p;
    }
    return 0;
}

int space_clone(struct space *dst, struct space *src)
{
    bool flush = false;
    int e = 0;
    pte_t *from = arch_phys(src->root[ROOT_HOST]);
    table_empty_lower(dst, &flush); /* it has no pages, but may have tables and marks */
    if (flush) {
        space_flush(dst, dst->low, dst->high - dst->low);
        flush = false;
    }
    for (unsigned i = 0; i < ARCH_PT_ENTRIES / 2 && e == 0; i++) {
        if (!pte_valid(from[i])) {
            if (from[i] != 0) {
                table_root_store(dst, i, from[i]);
            }
            continue;
        }
        uint64_t pa = table_new(dst, false);
        if (pa == 0) {
            e = -NX_ENOMEM;
            break;
        }
        /* Filled, or filled in part, before another hart that runs dst can see it. */
        e = clone_level(dst, arch_phys(pa), table_at(from[i]), ARCH_PT_LEVELS - 2, &flush);
        arch_publish();
        table_root_store(dst, i, pte_table(pa));
    }
    if (flush) {
        space_flush(src, src->low, src->high - src->low);
    }
    return e;
}

/* ---- move ---- */

/* From va on, up to `end`, the source is of one kind: a level 0 table (*what is no use), or an absent or
 * demand-zero entry above that (*what).  Answers where that ends.  The marks of a whole gigabyte take
 * one step, so the work is in proportion to the tables and pages there are, not to the range. */
static uint64_t move_run(struct space *s, uint64_t va, uint64_t end, bool *table, pte_t *what)
{
    pte_t *t = arch_phys(s->root[ROOT_HOST]);
    unsigned level = ARCH_PT_LEVELS - 1;
    for (; level > 0; level--) {
        *what = t[LEVEL_INDEX(va, level)];
        if (!pte_valid(*what)) {
            break;
        }
        t = table_at(*what);
    }
    *table = level == 0;
    uint64_t size = LEVEL_SIZE(*table ? 1 : level);
    uint64_t next = ALIGN_DOWN(va, size) + size;
    return next < end && next != 0 ? next : end;
}

/* All that can fail: the target gets its tables and marks. */
static int move_prepare(struct space *s, uint64_t from, uint64_t end, uint64_t to)
{
    bool table;
    pte_t what;
    for (uint64_t va = from, next; va < end; va = next) {
        next = move_run(s, va, end, &table, &what);
        uint64_t at = to + (va - from), stop = to + (next - from);
        if (!table && what != 0) {
            int e =
                mark_level(s, arch_phys(s->root[ROOT_HOST]), ARCH_PT_LEVELS - 1, at, stop, what);
            if (e != 0) {
                return e;
            }
        }
        for (; table && at < stop; at = ALIGN_DOWN(at, LEVEL_SIZE(1)) + LEVEL_SIZE(1)) {
            if (table_entry(s, at, true) == NULL) {
                return -NX_ENOMEM;
            }
        }
    }
    return 0;
}

int space_move(struct space *s, uint64_t from, uint64_t len, uint64_t to)
{
    bool flush = false, table;
    pte_t what;
    int e = space_unmap(s, to, len);
    if (e == 0 && (table_split(s, from) != 0 || table_split(s, from + len) != 0)) {
        e = -NX_ENOMEM;
    }
    if (e != 0) {
        return e;
    }
    e = move_prepare(s, from, from + len, to);
    if (e != 0) {
        table_clear(s, to, len, &flush);
        return e;
    }
    for (uint64_t va = from, next; va < from + len; va = next) {
        next = move_run(s, va, from + len, &table, &what);
        for (uint64_t at = va; table && at < next; at += NX_PAGE_SIZE) {
            pte_t *src = table_entry(s, at, false);
            *table_entry(s, to + (at - from), false) = *src;
            flush |= pte_valid(*src);
            *src = 0;
        }
    }
    table_clear(s, from, len, &flush);
    if (flush) {
        space_flush(s, from, len);
    }
    return 0;
}
