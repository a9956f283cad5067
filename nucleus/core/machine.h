/* The machine, as the flattened device tree describes it. */
#ifndef MACHINE_H
#define MACHINE_H

#include "hart.h"
#include "object.h"

struct memory_range {
    uint64_t base, end;
};

#define RESERVED_MAX 16u

struct machine {
    struct object obj; /* the capability that makes DEVMEM and IRQ */
    uint64_t memory_base, memory_end;
    struct memory_range reserved[RESERVED_MAX]; /* memory that is not ours; whole pages */
    unsigned reserved_count;
    uint64_t timebase;
    uint64_t initrd_base, initrd_end;
    uint64_t fdt_base, fdt_size;
    uint64_t plic_base, plic_size;
    uint32_t plic_irqs;
    uint64_t
        systable_page[2]; /* physical pages mapped at NX_SYSTABLE: isolated cells, fused ones */
    char bootargs[1024];
};
extern struct machine machine;

/* Read the tree at physical address fdt; boot_hwid is the hart that reads.  Stops the machine with a
 * message when it is damaged or something indispensable is missing. */
void machine_read(uint64_t fdt, uint32_t boot_hwid);
/* Is [base, base + len) free of memory (may be handed out as device registers)? */
bool machine_is_device(uint64_t base, uint64_t len);

#endif
