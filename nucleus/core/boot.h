/* From the first C instruction to the first cell. */
#ifndef BOOT_H
#define BOOT_H

#include <stdbool.h>
#include <stdint.h>

/* Called by arch code on the first hart, in the final address space; fdt is physical, image_base and
 * image_end are the nucleus' own physical range. */
_Noreturn void boot_main(uint32_t hwid, uint64_t fdt, uint64_t image_base, uint64_t image_end,
                         uint64_t root_table);
/* Make and start the supervisor, the first cell, from the boot bundle; with the lock.  0, or an error and
 * what went wrong. */
int boot_supervisor(uint32_t generation, const char **what);
/* On every other hart, with its structure in place. */
_Noreturn void boot_secondary(void);
/* Arch: physical page that holds the SysTable: with its trap stubs, or (fused) entries into the nucleus. */
uint64_t arch_systable_page(bool fused);

/* Slots of the first cell (native/supervisor). */
#define BOOT_SLOT_BUNDLE 0
#define BOOT_SLOT_FDT 1
#define BOOT_SLOT_MACHINE 2

#endif
