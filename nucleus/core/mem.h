/* mem: pages that cells share - plain memory, a device's registers, a ring's pages, the boot bundle. */
#ifndef MEM_H
#define MEM_H

#include "object.h"

#include <stddef.h>

#define MEM_PAGES_MAX 4096u /* of a scattered mem object: its list is at most 8 pages */

struct mem {
    struct object obj;
    uint64_t pages;
    uint64_t base; /* contiguous: physical address of the first page */
    uint64_t
        lists[8]; /* else: pages of 512 physical addresses each; the first is 0 when contiguous */
};

struct mem *mem_make(struct quota *q, uint64_t pages, bool contig);
/* Pages that exist already: a device window or memory the nucleus set aside. */
struct mem *mem_make_fixed(struct quota *q, uint32_t type, uint64_t base, uint64_t pages);
void mem_destroy(struct mem *m);
uint64_t mem_page(const struct mem *m, uint64_t index); /* physical address; index is below pages */
/* Copy bytes out of it; false when the range is not inside. */
bool mem_read(const struct mem *m, uint64_t off, void *dst, size_t n);
extern uint32_t mem_count;

#endif
