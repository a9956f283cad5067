/* Page tables of spaces: walking, making and freeing tables.
 *
 * Entries above level 0 are: empty, a table, or a demand-zero mark for the whole range they cover,
 * which is expanded into a table of marks when a part of it changes.
 */
#include "cell.h"
#include "page.h"
#include "space.h"

#include <nx_base.h>

uint64_t table_count;

pte_t *table_at(pte_t p)
{
    return arch_phys(pte_pa(p));
}

uint64_t table_new(struct space *s, bool zero)
{
    uint64_t pa = zero ? page_alloc_zero(s->cell->quota, 0) : page_alloc(s->cell->quota, 0);
    if (pa != 0) {
        table_count++;
    }
    return pa;
}

static void table_free(uint64_t pa)
{
    page_unref(pa);
    table_count--;
}

void table_root_store(struct space *s, unsigned i, pte_t p)
{
    ((pte_t *)arch_phys(s->root[ROOT_HOST]))[i] = p;
    if (s->root[ROOT_FOREIGN] != 0) {
        ((pte_t *)arch_phys(s->root[ROOT_FOREIGN]))[i] = p;
    }
}

/* Give entry e of `level` (above 0) a table; what it stood for goes on in it. */
int table_expand(struct space *s, pte_t *e, unsigned level, unsigned root_index)
{
    pte_t old = *e;
    uint64_t pa = table_new(s, old == 0);
    if (pa == 0) {
        return -NX_ENOMEM;
    }
    if (old != 0) {
        pte_t *t = arch_phys(pa);
        for (unsigned i = 0; i < ARCH_PT_ENTRIES; i++) {
            t[i] = old;
        }
    }
    arch_publish();
    if (level == ARCH_PT_LEVELS - 1) {
        table_root_store(s, root_index, pte_table(pa));
    } else {
        *e = pte_table(pa);
    }
    return 0;
}

pte_t *table_entry(struct space *s, uint64_t va, bool create)
{
    pte_t *t = arch_phys(s->root[ROOT_HOST]);
    for (unsigned level = ARCH_PT_LEVELS - 1; level > 0; level--) {
        unsigned i = LEVEL_INDEX(va, level);
        if (!pte_valid(t[i])) {
            if (!create || table_expand(s, &t[i], level, i) != 0) {
                return NULL;
            }
        }
        t = table_at(t[i]);
    }
    return &t[LEVEL_INDEX(va, 0)];
}

int table_split(struct space *s, uint64_t va)
{
    pte_t *t = arch_phys(s->root[ROOT_HOST]);
    for (unsigned level = ARCH_PT_LEVELS - 1; level > 0 && va % LEVEL_SIZE(level) != 0; level--) {
        unsigned i = LEVEL_INDEX(va, level);
        if (t[i] == 0) {
            return 0;
        }
        if (!pte_valid(t[i]) && table_expand(s, &t[i], level, i) != 0) {
            return -NX_ENOMEM;
        }
        t = table_at(t[i]);
    }
    return 0;
}

static void drop_page(struct space *s, pte_t p, bool *flush)
{
    page_unref(pte_pa(p));
    s->resident--;
    *flush |= pte_valid(p);
}

/* Free what a table holds and the table itself. */
static void free_tree(struct space *s, pte_t table, unsigned level, bool *flush)
{
    pte_t *t = table_at(table);
    for (unsigned i = 0; i < ARCH_PT_ENTRIES; i++) {
        if (t[i] == 0) {
            continue;
        }
        if (level == 0) {
            if (pte_has_page(t[i])) {
                drop_page(s, t[i], flush);
            }
        } else if (pte_valid(t[i])) {
            free_tree(s, t[i], level - 1, flush);
        }
    }
    table_free(pte_pa(table));
    *flush = true;
}

static void clear_level(struct space *s, pte_t *t, unsigned level, uint64_t va, uint64_t end,
                        bool *flush)
{
    while (va < end) {
        unsigned i = LEVEL_INDEX(va, level);
        uint64_t next = ALIGN_DOWN(va, LEVEL_SIZE(level)) + LEVEL_SIZE(level);
        uint64_t stop = next < end && next != 0 ? next : end;
        pte_t p = t[i];
        if (level == 0) {
            if (pte_has_page(p)) {
                drop_page(s, p, flush);
            }
            t[i] = 0;
        } else if (pte_valid(p)) {
            if (stop - va == LEVEL_SIZE(level) && s->handle != 0) {
                if (level == ARCH_PT_LEVELS - 1) {
                    table_root_store(s, i, 0);
                } else {
                    t[i] = 0;
                }
                free_tree(s, p, level - 1, flush);
            } else {
                clear_level(s, table_at(p), level - 1, va, stop, flush);
            }
        } else if (p != 0) {
            if (level == ARCH_PT_LEVELS - 1) {
                table_root_store(s, i, 0);
            } else {
                t[i] = 0;
            }
        }
        va = stop;
    }
}

void table_clear(struct space *s, uint64_t va, uint64_t len, bool *flush)
{
    clear_level(s, arch_phys(s->root[ROOT_HOST]), ARCH_PT_LEVELS - 1, va, va + len, flush);
}

void table_empty_lower(struct space *s, bool *flush)
{
    const pte_t *root = arch_phys(s->root[ROOT_HOST]);
    for (unsigned i = 0; i < ARCH_PT_ENTRIES / 2; i++) {
        pte_t p = root[i];
        table_root_store(s, i, 0);
        if (pte_valid(p)) {
            free_tree(s, p, ARCH_PT_LEVELS - 2, flush);
        }
    }
}

void table_free_window(struct space *s)
{
    const pte_t *root = arch_phys(s->root[ROOT_HOST]);
    bool flush = false;
    for (uint64_t va = s->low; va < s->high; va += LEVEL_SIZE(ARCH_PT_LEVELS - 1)) {
        pte_t p = root[LEVEL_INDEX(va, ARCH_PT_LEVELS - 1)];
        if (pte_valid(p)) {
            free_tree(s, p, ARCH_PT_LEVELS - 2, &flush);
        }
    }
    table_free(s->root[ROOT_HOST]);
}

void table_free_lower(struct space *s)
{
    bool flush = false;
    table_empty_lower(s, &flush);
    table_free(s->root[ROOT_HOST]);
    if (s->root[ROOT_FOREIGN] != 0) {
        table_free(s->root[ROOT_FOREIGN]);
    }
}
