/* Where things are in the address space of every cell and foreign program.
 *
 *   0000000000000000  lower half: one foreign program (spaces; empty in most cells)
 *   ffffffc000000000  cell window: image, stack, heap of one isolated cell (user mode)
 *       +00000000     SysTable page (call table and trap stubs; read, execute)
 *       +00001000     cell info page (struct nx_cellinfo; read)
 *       +00080000     main fiber's stack, 512 KiB below +00100000, guard below
 *       +00200000     image (position independent ELF, loaded here)
 *       +10000000     free for the cell: heap, rings, devices
 *   ffffffd000000000  nucleus: all physical memory (direct map)
 *   ffffffff80000000  nucleus: its image
 *
 * The window is `window_gb` (manifest) GiB long.  Usable from C and assembler.
 */
#ifndef NX_LAYOUT_H
#define NX_LAYOUT_H

#ifdef __ASSEMBLER__
#define NX_UL(x) x
#else
#define NX_UL(x) x##ul
#endif

#define NX_PAGE_SIZE NX_UL(4096)
#define NX_PAGE_SHIFT 12

#define NX_LOWER_END NX_UL(0x0000004000000000)
#define NX_WINDOW NX_UL(0xffffffc000000000)
#define NX_WINDOW_GB_MAX 16
#define NX_SYSTABLE NX_WINDOW
#define NX_CELLINFO (NX_WINDOW + NX_UL(0x1000))
#define NX_STACK_TOP (NX_WINDOW + NX_UL(0x100000))
#define NX_STACK_SIZE NX_UL(0x80000)
#define NX_IMAGE (NX_WINDOW + NX_UL(0x200000))
#define NX_FREE (NX_WINDOW + NX_UL(0x10000000))

#ifndef __ASSEMBLER__
#include <stdint.h>

/* The SysTable: native code calls through it and never issues a trap itself. */
struct nx_systable {
    uint64_t magic; /* NX_SYSTABLE_MAGIC */
    uint64_t version;
    long (*call[13])(uint64_t op, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);
    /* Fused cells only, else NULL: run the handler of who serves the other end of the ring in the slot (recv SERVE). 0,
     * -NX_EBUSY: nobody could be visited, so ring; -NX_EPEER: the server's cell has ended over it. */
    long (*visit)(uint64_t slot);
};
#define NX_SYSTABLE_MAGIC 0x454c42415453584eul /* "NXSTABLE" */
#define NX_ABI_VERSION 1

#ifdef NX_HOST
extern const struct nx_systable *nx_host_table; /* host tests put their own table here */
#define NX_TABLE nx_host_table
#else
#define NX_TABLE ((const struct nx_systable *)NX_SYSTABLE)
#endif
#endif

#endif
