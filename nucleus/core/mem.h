/* mem: pages that cells share - plain memory, a device's registers, a ring's pages, the boot bundle. */
#ifndef MEM_H
#define MEM_H

#include "object.h"

#include <stddef.h>

#define MEM_PAGES_MAX 4096u /* of a scattered mem object: its list is at most 8 pages */

struct mem {
    struct object obj;
    uint64_t pages;
    bool dma;           /* a device may have been told where it is */
    struct mem *parked; /* mem_destroy */
    uint64_t base;      /* contiguous: physical address of the first page */
    uint64_t
        lists[8]; /* else: pages of 512 physical addresses each; the first is 0 when contiguous */
};

struct mem *mem_make(struct quota *q, uint64_t pages, bool contig);
/* Pages that exist already: a device window or memory the nucleus set aside. */
struct mem *mem_make_fixed(struct quota *q, uint32_t type, uint64_t base, uint64_t pages);
/* While cells end for a soft restart, memory that devices may still write to is kept instead, until
 * mem_release_parked: before the next restart, when new drivers have reset their devices. */
void mem_destroy(struct mem *m);
void mem_release_parked(void);
uint64_t mem_page(const struct mem *m, uint64_t index); /* physical address; index is below pages */
/* Copy bytes out of it; false when the range is not inside. */
bool mem_read(const struct mem *m, uint64_t off, void *dst, size_t n);
extern uint32_t mem_count;

#endif
