/* riscv64: roots, translation fences, and the nucleus' own mapping. */
#include "csr.h"
#include "fiber.h"
#include "hart.h"
#include "local.h"
#include "offsets.h"

#include <nx_base.h>

_Static_assert(offsetof(struct hart, foreign) == H_FOREIGN, "offsets.h");
_Static_assert(offsetof(struct hart, fiber) == H_FIBER, "offsets.h");
_Static_assert(offsetof(struct hart, stack_top) == H_STACK, "offsets.h");
_Static_assert(offsetof(struct hart, scratch) == H_SCRATCH, "offsets.h");
_Static_assert(offsetof(struct hart, resched) == H_RESCHED, "offsets.h");
_Static_assert(offsetof(struct hart, ready) == H_READY, "offsets.h");
_Static_assert(offsetof(struct hart, hwid) == H_HWID, "offsets.h");
_Static_assert(offsetof(struct hart, visit) == H_VISIT, "offsets.h");
_Static_assert(offsetof(struct hart, guest) == H_GUEST(0), "offsets.h");
_Static_assert(sizeof(struct hart) == H_SIZE && HARTS_MAX == H_COUNT, "offsets.h");
_Static_assert(offsetof(struct fiber, host_root) == F_HOST_ROOT, "offsets.h");
_Static_assert(offsetof(struct fiber, foreign_root) == F_FOREIGN_ROOT, "offsets.h");
_Static_assert(offsetof(struct fiber, state) == F_STATE, "offsets.h");
_Static_assert(offsetof(struct fiber, kick) == F_KICK, "offsets.h");
_Static_assert(offsetof(struct fiber, odd) == F_ODD, "offsets.h");
_Static_assert(offsetof(struct fiber, outranked_by) == F_OUTRANKED, "offsets.h");
_Static_assert(offsetof(struct fiber, fused) == F_FUSED, "offsets.h");
_Static_assert(offsetof(struct fiber, cell) == F_CELL, "offsets.h");
_Static_assert(offsetof(struct fiber, hart) == F_HART, "offsets.h");
_Static_assert(offsetof(struct fiber, door_entry) == F_DOOR_ENTRY, "offsets.h");
_Static_assert(offsetof(struct fiber, door_arg) == F_DOOR_ARG, "offsets.h");
_Static_assert(offsetof(struct cell, open) == C_OPEN, "offsets.h");

#define SATP_SV39 (8ul << 60)
#define ASID_SHIFT 44

static unsigned asids = 1;

uint64_t arch_root(uint64_t pa, unsigned asid)
{
    return SATP_SV39 | (uint64_t)asid << ASID_SHIFT | pa >> 12;
}

void arch_root_set(uint64_t root)
{
    csr_write(satp, root);
    if (asids == 1) {
        __asm__ volatile("sfence.vma" ::: "memory");
    }
}

unsigned arch_asids(void)
{
    return asids;
}

/* With the image still writable: count address space numbers; without any, fence on every switch. */
void mmu_init_asids(void)
{
    extern const uint64_t root_fences_start[] __asm__("root_fences_start");
    extern const uint64_t root_fences_end[] __asm__("root_fences_end");
    uint64_t satp = csr_read(satp);
    csr_write(satp, satp | 0xfffful << ASID_SHIFT);
    asids = (unsigned)(csr_read(satp) >> ASID_SHIFT & 0xffff) + 1;
    csr_write(satp, satp);
    __asm__ volatile("sfence.vma" ::: "memory");
    if (asids == 1) {
        for (const uint64_t *p = root_fences_start; p < root_fences_end; p++) {
            *(uint32_t *)*p = 0x12000073; /* sfence.vma */
        }
        arch_fence_code();
    }
}

/* ---- the image, by pages: code read-only and executable, constants read-only, data not executable */
extern char nucleus_start[], nucleus_rodata[], nucleus_data[], nucleus_end[];
extern pte_t nucleus_root_table[];
static pte_t image_mid[ARCH_PT_ENTRIES] __attribute__((aligned(4096)));
static pte_t image_low[2][ARCH_PT_ENTRIES] __attribute__((aligned(4096)));

static uint64_t image_pa(const void *p, uint64_t offset)
{
    return (uint64_t)p - offset;
}

void mmu_protect_image(uint64_t image_base)
{
    uint64_t offset = (uint64_t)nucleus_start - image_base;
    for (char *p = nucleus_start; p < nucleus_end; p += NX_PAGE_SIZE) {
        uint64_t va = (uint64_t)p;
        unsigned mid = LEVEL_INDEX(va, 1);
        unsigned which = mid - LEVEL_INDEX((uint64_t)nucleus_start, 1);
        unsigned prot = p < nucleus_rodata ? NX_PROT_R | NX_PROT_X
                        : p < nucleus_data ? NX_PROT_R
                                           : NX_PROT_R | NX_PROT_W;
        if (which >= ARRAY_LEN(image_low)) {
            break; /* over 2 MiB: the linker script would have to change first */
        }
        image_low[which][LEVEL_INDEX(va, 0)] = pte_nucleus(image_pa(p, offset), prot);
        image_mid[mid] = pte_table(image_pa(image_low[which], offset));
    }
    nucleus_root_table[LEVEL_INDEX((uint64_t)nucleus_start, 2)] =
        pte_table(image_pa(image_mid, offset));
    nucleus_root_table[image_base >> 30] = 0; /* where the first instructions ran */
    /* The direct map need not execute. */
    for (unsigned i = LEVEL_INDEX(ARCH_DIRECT_MAP, 2); i < LEVEL_INDEX(ARCH_DIRECT_MAP, 2) + 64;
         i++) {
        nucleus_root_table[i] &= ~PTE_X;
    }
    __asm__ volatile("sfence.vma" ::: "memory");
}

/* ---- fences ---- */
void arch_tlb_page(uint64_t va, unsigned asid)
{
    __asm__ volatile("sfence.vma %0, %1" ::"r"(va), "r"((uint64_t)asid) : "memory");
}

void arch_tlb_asid(unsigned asid)
{
    __asm__ volatile("sfence.vma zero, %0" ::"r"((uint64_t)asid) : "memory");
}

void arch_tlb_page_all(uint64_t va)
{
    __asm__ volatile("sfence.vma %0, zero" ::"r"(va) : "memory");
}

void arch_tlb_all(void)
{
    __asm__ volatile("sfence.vma" ::: "memory");
}

/* The firmware's hart mask, relative to hart number 0 or to `base`. */
static void remote(uint64_t mask, unsigned long fn, uint64_t va, uint64_t len, uint64_t asid)
{
    for (unsigned i = 0; i < hart_count; i++) {
        if ((mask >> i & 1) != 0 && harts[i].online && &harts[i] != this_hart()) {
            (void)sbi_call(SBI_RFENCE, fn, 1, harts[i].hwid, va, len, asid);
        }
    }
}

void arch_tlb_remote(uint64_t mask, uint64_t va, uint64_t len, unsigned asid, bool every_asid)
{
    remote(mask, every_asid ? 1 : 2, len != 0 ? va : 0, len != 0 ? len : ~0ul, asid);
}

void arch_fence_code(void)
{
    __asm__ volatile("fence.i" ::: "memory");
}

void arch_fence_code_remote(uint64_t mask)
{
    remote(mask, 0, 0, 0, 0);
}
