/* Faults the nucleus resolves itself, and its own access to a cell's memory.  See space.h. */
#include "cell.h"
#include "hart.h"
#include "page.h"
#include "space.h"

#include <nx_base.h>
#include <string.h>

static int fault_zero(struct space *s, pte_t *e, unsigned access, uint64_t reserve)
{
    unsigned prot = pte_prot(*e);
    if ((prot & access) == 0) {
        return -NX_ENOENT;
    }
    uint64_t pa = page_alloc_zero(s->cell->quota, reserve);
    if (pa == 0) {
        return -NX_ENOMEM;
    }
    s->resident++;
    s->cell->energy.pages++;
    arch_publish();
    *e = pte_page(pa, prot, 0, s->fused);
    return 0;
}

static int fault_cow(struct space *s, pte_t *e, uint64_t va, uint64_t reserve)
{
    uint64_t old = pte_pa(*e);
    unsigned prot = pte_prot(*e) | NX_PROT_W;
    if (page_refs(old) == 1) {
        *e = pte_page(old, prot, 0, s->fused);
    } else {
        uint64_t pa = page_alloc(s->cell->quota, reserve);
        if (pa == 0) {
            return -NX_ENOMEM;
        }
        arch_page_copy(arch_phys(pa), arch_phys(old));
        s->cell->energy.pages++;
        arch_publish();
        *e = pte_page(pa, prot, 0, s->fused);
        page_unref(old);
    }
    space_flush(s, va, NX_PAGE_SIZE);
    return 0;
}

int space_fault(struct space *s, uint64_t va, unsigned access, uint64_t reserve)
{
    if (va < s->low || va >= s->high) {
        return -NX_ENOENT;
    }
    va = ALIGN_DOWN(va, NX_PAGE_SIZE);
    pte_t *e = table_entry(s, va, false);
    if (e == NULL) {
        /* Nothing, or a mark above level 0: only the latter is worth a table. */
        pte_t *t = arch_phys(s->root[ROOT_HOST]);
        pte_t p = 0;
        for (unsigned level = ARCH_PT_LEVELS - 1; level > 0; level--) {
            p = t[LEVEL_INDEX(va, level)];
            if (!pte_valid(p)) {
                break;
            }
            t = table_at(p);
        }
        if (!pte_is_zero(p) || (pte_prot(p) & access) == 0) {
            return -NX_ENOENT;
        }
        e = table_entry(s, va, true);
        if (e == NULL) {
            return -NX_ENOMEM;
        }
    }
    if (pte_is_zero(*e)) {
        return fault_zero(s, e, access, reserve);
    }
    if (!pte_valid(*e)) {
        return -NX_ENOENT;
    }
    if ((pte_prot(*e) & access) != 0) {
        arch_tlb_page_all(va); /* another hart resolved it, or the translation is stale */
        return 0;
    }
    if (access == NX_PROT_W && (*e & PTE_SEALED) == PTE_COW) {
        return fault_cow(s, e, va, reserve);
    }
    return -NX_ENOENT;
}

uint64_t space_translate(struct space *s, uint64_t va, unsigned access)
{
    pte_t *e = va >= s->low && va < s->high ? table_entry(s, va, false) : NULL;
    if (e == NULL || !pte_valid(*e) || (pte_prot(*e) & access) == 0) {
        return 0;
    }
    return pte_pa(*e) + va % NX_PAGE_SIZE;
}

bool space_may_write(struct space *s, uint64_t va)
{
    const pte_t *e = va >= s->low && va < s->high ? table_entry(s, va, false) : NULL;
    return e != NULL && pte_has_page(*e) &&
           ((pte_prot(*e) & NX_PROT_W) != 0 || (*e & PTE_SEALED) == PTE_SHARED);
}

static int copy(struct space *s, uint64_t va, char *buf, size_t n, unsigned access)
{
    while (n > 0) {
        uint64_t pa = space_translate(s, va, access);
        if (pa == 0) {
            if (space_fault(s, va, access, 0) != 0) {
                return -NX_EFAULT;
            }
            pa = space_translate(s, va, access);
        }
        size_t part = NX_MIN(n, (size_t)(NX_PAGE_SIZE - va % NX_PAGE_SIZE));
        if (pa == 0 || !page_known(pa)) {
            return -NX_EFAULT;
        }
        if (access == NX_PROT_W) {
            memcpy(arch_phys(pa), buf, part);
        } else {
            memcpy(buf, arch_phys(pa), part);
        }
        buf += part;
        va += part;
        n -= part;
    }
    return 0;
}

int space_copy_out(struct space *s, uint64_t va, const void *src, size_t n)
{
    return copy(s, va, (char *)(uintptr_t)src, n, NX_PROT_W);
}

int space_copy_in(struct space *s, void *dst, uint64_t va, size_t n)
{
    return copy(s, va, dst, n, NX_PROT_R);
}
