/* map: what is where in a cell's window or in one of its foreign spaces.  See call.h. */
#include "call.h"
#include "mem.h"
#include "page.h"
#include "ring.h"

#include <nx_base.h>

static long map_mem(struct fiber *f, struct space *s, uint64_t va, uint64_t len, uint64_t slot_prot,
                    uint64_t off)
{
    struct object *o;
    unsigned prot = slot_prot >> 8 & 7;
    /* PROTECT may add reading later, so that right is always needed; writing it adds only where the
     * capability allows it now. */
    uint32_t rights =
        NX_R_READ | ((prot & NX_PROT_W) ? NX_R_WRITE : 0) | ((prot & NX_PROT_X) ? NX_R_EXEC : 0);
    int e = cap_get(f, slot_prot & 0xff, NX_T_NONE, rights, &o);
    if (e != 0) {
        return e;
    }
    const struct mem *m;
    if (o->type == NX_T_RING) {
        m = ((struct ring *)o)->mem;
    } else if (o->type == NX_T_MEM || o->type == NX_T_DEVMEM) {
        m = (struct mem *)o;
    } else {
        return -NX_EBADF;
    }
    if (slot_prot >> 11 != 0 || off % NX_PAGE_SIZE != 0 ||
        !nx_in_bounds(off, len, m->pages * NX_PAGE_SIZE)) {
        return -NX_EINVAL;
    }
    pte_t soft = (cap_rights(f->cell, slot_prot & 0xff) & NX_R_WRITE) ? PTE_SHARED : PTE_SEALED;
    for (uint64_t i = 0; i < len; i += NX_PAGE_SIZE) {
        e = space_page(s, va + i, mem_page(m, (off + i) / NX_PAGE_SIZE), prot, soft);
        if (e != 0) {
            return e;
        }
    }
    return 0;
}

static long map_share(struct fiber *f, struct space *s, uint64_t va, uint64_t len,
                      uint64_t prot_flags, uint64_t src)
{
    struct space *window = &f->cell->window;
    unsigned prot = prot_flags & 7;
    bool private_ = (prot_flags & NX_MAP_PRIVATE) != 0;
    if ((prot_flags & ~(uint64_t)(7 | NX_MAP_PRIVATE)) != 0 || !space_range_ok(window, src, len)) {
        return -NX_EINVAL;
    }
    pte_t soft = 0;
    if (private_ && (prot & NX_PROT_W) != 0) {
        soft = PTE_COW;
        prot = (prot & ~NX_PROT_W) | NX_PROT_R;
    }
    long mapped = 0;
    for (uint64_t i = 0; i < len; i += NX_PAGE_SIZE) {
        if (table_entry(window, src + i, false) == NULL) { /* no page up to the next table */
            i = ALIGN_UP(src + i + NX_PAGE_SIZE, LEVEL_SIZE(1)) - src - NX_PAGE_SIZE;
            continue;
        }
        uint64_t pa = space_translate(window, src + i, NX_PROT_R);
        /* Writing through a shared mapping wants a page the cell itself may write. */
        if (pa == 0 || !page_known(pa) ||
            (!private_ && (prot & NX_PROT_W) != 0 &&
             space_translate(window, src + i, NX_PROT_W) == 0)) {
            continue;
        }
        if (!private_) {
            soft = space_may_write(window, src + i) ? PTE_SHARED : PTE_SEALED;
        }
        int e = space_page(s, va + i, pa, prot, soft);
        if (e != 0) {
            return e;
        }
        mapped++;
    }
    return mapped;
}

static long map_clone(struct fiber *f, uint64_t dst, uint64_t src)
{
    struct space *to = dst != 0 ? space_get(f->cell, dst) : NULL;
    struct space *from = src != 0 ? space_get(f->cell, src) : NULL;
    if (to == NULL || from == NULL) {
        return -NX_EBADF;
    }
    if (to == from || to->resident != 0) {
        return -NX_EINVAL;
    }
    return space_clone(to, from);
}

static long map_move(struct space *s, uint64_t from, uint64_t len, uint64_t to)
{
    if (!space_range_ok(s, from, len) || !space_range_ok(s, to, len) ||
        (from < to + len && to < from + len)) {
        return -NX_EINVAL;
    }
    return space_move(s, from, len, to);
}

long call_map(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
    struct fiber *f = call_begin(NX_PLEDGE_MAP);
    long r;
    if (f == NULL) {
        return -NX_EPERM;
    }
    if (op == NX_MAP_CLONE) {
        r = map_clone(f, a1, a2);
        unlock();
        return r;
    }
    struct space *s = space_get(f->cell, a1);
    if (s == NULL) {
        r = -NX_EBADF;
    } else if (op == NX_MAP_FAULT) {
        r = space_fault(s, a2, a3 != 0 ? NX_PROT_W : NX_PROT_R, 0);
    } else if (op == NX_MAP_MOVE) {
        r = map_move(s, a2, a3, a4);
    } else if (!space_range_ok(s, a2, a3)) {
        r = -NX_EINVAL;
    } else {
        switch (op) {
        case NX_MAP_ANON:
            r = (a4 & ~7ul) == 0 ? space_anon(s, a2, a3, (unsigned)a4) : -NX_EINVAL;
            break;
        case NX_MAP_MEM:
            r = map_mem(f, s, a2, a3, a4, a5);
            break;
        case NX_MAP_SHARE:
            r = map_share(f, s, a2, a3, a4, a5);
            break;
        case NX_MAP_UNMAP:
            r = space_unmap(s, a2, a3);
            break;
        case NX_MAP_PROTECT:
            r = (a4 & ~7ul) == 0 ? space_protect(s, a2, a3, (unsigned)a4) : -NX_EINVAL;
            break;
        default:
            r = -NX_ENOSYS;
            break;
        }
        bool code = op == NX_MAP_MEM ? (a4 >> 8 & NX_PROT_X) != 0 : (a4 & NX_PROT_X) != 0;
        if (r >= 0 && code && op != NX_MAP_ANON && op != NX_MAP_UNMAP) {
            space_fence_code(s);
        }
    }
    unlock();
    return r;
}
