/* host: roots, and a translation buffer per hart that forgets only what it is told to. */
#include "fiber.h"
#include "host.h"
#include "local.h"

#include <nx_base.h>

#define ROOT_MODE (8ul << 60)
#define ASID_SHIFT 44

uint64_t arch_root(uint64_t pa, unsigned asid)
{
    return ROOT_MODE | (uint64_t)asid << ASID_SHIFT | pa >> 12;
}

static unsigned root_asid(uint64_t root)
{
    return root >> ASID_SHIFT & 0xffff;
}

void arch_root_set(uint64_t root)
{
    struct host_hart *h = &host.hart[host.current];
    host.root_changes += h->root != root;
    h->root = root;
    if (host.asids == 1) {
        memset(h->tlb, 0, sizeof(h->tlb));
    }
}

unsigned arch_asids(void)
{
    return host.asids;
}

/* ---- translation ---- */
static struct host_tlb *tlb_slot(struct host_hart *h, uint64_t va, unsigned asid)
{
    uint64_t key = (va >> 12) * 0x9e3779b97f4a7c15ul + asid * 0xc2b2ae3d27d4eb4ful;
    return &h->tlb[key >> 56 & (HOST_TLB - 1)];
}

/* The entry a walk of the tables ends at: a leaf of level 0, or 0. */
static pte_t walk(uint64_t root, uint64_t va)
{
    uint64_t pa = (root << 12) & 0x00fffffffffff000ul;
    if ((uint64_t)((int64_t)(va << 25) >> 25) != va) {
        return 0;
    }
    for (unsigned level = ARCH_PT_LEVELS - 1;; level--) {
        const pte_t *t = arch_phys(pa);
        pte_t p = t[va >> (NX_PAGE_SHIFT + ARCH_PT_BITS * level) & (ARCH_PT_ENTRIES - 1)];
        if (!pte_valid(p) || (level > 0 && pte_leaf(p))) {
            return 0; /* leaves above level 0 are the nucleus' own */
        }
        if (level == 0) {
            return pte_leaf(p) ? p : 0;
        }
        pa = pte_pa(p);
    }
}

/* Registers of devices read as what was written there last, all devices alike. */
static void *user_memory(uint64_t pa)
{
    static uint8_t device[NX_PAGE_SIZE];
    bool memory = pa - HOST_MEMORY_BASE < host_memory_size;
    return memory ? arch_phys(pa) : device + pa % NX_PAGE_SIZE;
}

/* Pages are for user mode or for the nucleus' privilege, which reads and writes those of user mode too. */
static bool allowed(pte_t p, unsigned access)
{
    const struct hart *h = &harts[host.current];
    bool user = h->foreign != NULL || !h->fiber->fused;
    bool privilege = (p & PTE_U) != 0 ? user || access != NX_PROT_X : !user;
    return privilege && (pte_prot(p) & access) != 0;
}

void *mmu_look(uint64_t va, unsigned access)
{
    struct host_hart *h = &host.hart[host.current];
    unsigned asid = root_asid(h->root);
    struct host_tlb *t = tlb_slot(h, va, asid);
    if (t->vpn != (va >> 12) + 1 || t->asid != asid) {
        pte_t p = walk(h->root, va);
        if (p == 0) {
            return NULL;
        }
        *t = (struct host_tlb){.vpn = (va >> 12) + 1, .asid = asid, .pte = p};
    }
    return allowed(t->pte, access) ? user_memory(pte_pa(t->pte) + va % NX_PAGE_SIZE) : NULL;
}

/* Less access than there is costs a fault; more, or another page, is a hole. */
static bool is_stale(const struct host_tlb *t, uint64_t root)
{
    pte_t p = walk(root, (t->vpn - 1) << NX_PAGE_SHIFT);
    return p == 0 || pte_pa(p) != pte_pa(t->pte) || (t->pte & ~p & (PTE_R | PTE_W | PTE_X)) != 0;
}

unsigned host_tlb_stale(unsigned hart, uint64_t root, uint64_t from, uint64_t to)
{
    const struct host_hart *h = &host.hart[hart];
    unsigned found = 0;
    if (host.asids == 1 && h->root != root) {
        return 0; /* everything is forgotten at each switch */
    }
    for (unsigned k = 0; k < HOST_TLB; k++) {
        const struct host_tlb *t = &h->tlb[k];
        uint64_t va = (t->vpn - 1) << NX_PAGE_SHIFT;
        found +=
            t->vpn != 0 && t->asid == root_asid(root) && va >= from && va < to && is_stale(t, root);
    }
    return found;
}

/* ---- fences ---- */
static void forget(struct host_hart *h, uint64_t va, uint64_t len, unsigned asid, bool every_asid)
{
    for (unsigned k = 0; k < HOST_TLB; k++) {
        struct host_tlb *t = &h->tlb[k];
        bool in = len == 0 || (t->vpn > va >> 12 && t->vpn - 1 <= (va + len - 1) >> 12);
        if (in && (every_asid || t->asid == asid)) {
            t->vpn = 0;
        }
    }
}

void arch_tlb_page(uint64_t va, unsigned asid)
{
    host.fences.page++;
    forget(&host.hart[host.current], va, 1, asid, false);
}

void arch_tlb_asid(unsigned asid)
{
    host.fences.asid++;
    forget(&host.hart[host.current], 0, 0, asid, false);
}

void arch_tlb_page_all(uint64_t va)
{
    host.fences.page_all++;
    forget(&host.hart[host.current], va, 1, 0, true);
}

void arch_tlb_all(void)
{
    uintptr_t frame = (uintptr_t)__builtin_frame_address(0);
    host.stack_low = host.stack_low == 0 ? frame : NX_MIN(host.stack_low, frame);
    host.fences.all++;
    forget(&host.hart[host.current], 0, 0, 0, true);
}

void arch_tlb_remote(uint64_t mask, uint64_t va, uint64_t len, unsigned asid, bool every_asid)
{
    host.fences.remote++;
    host.fences.remote_harts = mask;
    for (unsigned i = 0; i < hart_count; i++) {
        if ((mask >> i & 1) != 0 && harts[i].online && i != host.current) {
            forget(&host.hart[i], va, len, asid, every_asid);
        }
    }
}

void arch_fence_code(void)
{
    host.fences.code++;
}

void arch_fence_code_remote(uint64_t mask)
{
    host.fences.code_remote++;
}
