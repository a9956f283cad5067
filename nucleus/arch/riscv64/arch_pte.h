/* riscv64: page table entries, Sv39.
 *
 * A table is one page of 512 entries; level 0 entries are 4 KiB leaves, the root is level 2.
 *
 *   63      54 53            10 9      8     7 6 5 4 3 2 1 0
 *  +----------+----------------+--------+---+-+-+-+-+-+-+-+-+
 *  | 0        | frame number   | SHARED | COW |D|A|G|U|X|W|R|V|      valid leaf
 *  +----------+----------------+--------+---+-+-+-+-+-+-+-+-+
 *  | 0        | frame number   |        |     | kind  |X|W|R|0|      not valid: what a fault makes of it
 *  +----------+----------------+--------+---+-+-+-+-+-+-+-+-+
 *
 * SHARED: the page is shared on purpose; a clone keeps it shared.  COW: private, written on a copy.
 * Both (SEALED): shared, and whoever mapped it had no right to write: it never becomes writable.
 * kind (bits 4 to 5 of an entry that is not valid): 0 nothing, ZERO demand-zero with access XWR,
 * HELD a resident page nobody may touch now (PROT_NONE); HELD keeps SHARED and COW.
 */
#ifndef ARCH_PTE_H
#define ARCH_PTE_H

#include <nx/types.h>
#include <stdbool.h>
#include <stdint.h>

typedef uint64_t pte_t;

#define ARCH_PT_LEVELS 3
#define ARCH_PT_ENTRIES 512u
#define ARCH_PT_BITS 9
#define ARCH_ELF_MACHINE 243

#define PTE_V 0x01ul
#define PTE_R 0x02ul
#define PTE_W 0x04ul
#define PTE_X 0x08ul
#define PTE_U 0x10ul
#define PTE_G 0x20ul
#define PTE_A 0x40ul
#define PTE_D 0x80ul
#define PTE_COW 0x100ul
#define PTE_SHARED 0x200ul
#define PTE_SEALED (PTE_SHARED | PTE_COW)
#define PTE_KIND 0x30ul
#define PTE_ZERO 0x10ul
#define PTE_HELD 0x20ul

static inline bool pte_valid(pte_t p)
{
    return (p & PTE_V) != 0;
}
static inline bool pte_leaf(pte_t p)
{
    return (p & (PTE_R | PTE_W | PTE_X)) != 0;
}
static inline bool pte_is_zero(pte_t p)
{
    return (p & (PTE_V | PTE_KIND)) == PTE_ZERO;
}
static inline bool pte_is_held(pte_t p)
{
    return (p & (PTE_V | PTE_KIND)) == PTE_HELD;
}
static inline bool pte_is_sealed(pte_t p)
{
    return (p & PTE_SEALED) == PTE_SEALED;
}
/* A frame stands in it: a valid leaf or a held page. */
static inline bool pte_has_page(pte_t p)
{
    return pte_valid(p) || pte_is_held(p);
}
static inline uint64_t pte_pa(pte_t p)
{
    return (p >> 10 << 12) & 0x00fffffffffff000ul;
}
static inline pte_t pte_table(uint64_t pa)
{
    return (pa >> 12 << 10) | PTE_V;
}
/* prot (NX_PROT_*) and the entry's access bits have the same order, one bit apart. */
static inline unsigned pte_prot(pte_t p)
{
    return (unsigned)(p >> 1) & 7;
}
static inline pte_t pte_access(unsigned prot)
{
    /* Writable implies readable. */
    return (pte_t)((prot & NX_PROT_W) ? prot | NX_PROT_R : prot) << 1;
}
/* A page of a space; soft: PTE_COW, PTE_SHARED, PTE_SEALED.  No access at all gives a held page.
 * fused: user mode may not touch it, the nucleus' privilege may, by the same rules of access. */
static inline pte_t pte_page(uint64_t pa, unsigned prot, pte_t soft, bool fused)
{
    pte_t ppn = pa >> 12 << 10;
    if ((prot & 7) == 0) {
        return ppn | soft | PTE_HELD;
    }
    return ppn | soft | pte_access(prot) | PTE_V | (fused ? 0 : PTE_U) | PTE_A | PTE_D;
}
static inline pte_t pte_zero(unsigned prot)
{
    return pte_access(prot) | PTE_ZERO;
}
static inline pte_t pte_nucleus(uint64_t pa, unsigned prot)
{
    return (pa >> 12 << 10) | pte_access(prot) | PTE_V | PTE_G | PTE_A | PTE_D;
}

#endif
