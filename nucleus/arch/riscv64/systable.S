/* The SysTable pages, one of which is mapped at NX_SYSTABLE in every cell.  Isolated: the table of entry
 * points, and for each a stub that traps.  Fused: the same table, of entries into the nucleus (trap.S).
 * Layout: struct nx_systable in nx/layout.h.
 */
#include <nx/callnr.h>
#include <nx/layout.h>

    .section .systable, "a"
    .balign 4096
    .global systable_page
systable_page:
    .quad 0x454c42415453584e /* NX_SYSTABLE_MAGIC */
    .quad 1                  /* NX_ABI_VERSION */
#define ADDRESS(name, nr) .quad NX_SYSTABLE + (stub_##name - systable_page);
    NX_CALLS(ADDRESS)
    .quad 0                  /* visit */
    .balign 16
#define STUB(name, nr) stub_##name: li a7, nr; ecall; ret;
    NX_CALLS(STUB)

    .balign 4096
    .global systable_fused
systable_fused:
    .quad 0x454c42415453584e /* NX_SYSTABLE_MAGIC */
    .quad 1                  /* NX_ABI_VERSION */
#define FUSED(name, nr) .quad fused_##name;
    NX_CALLS(FUSED)
    .quad fused_visit
